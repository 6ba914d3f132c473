// A folder of its own for a test of the SQLite store.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>

#include "storage/open.h"

namespace sasld {

class DatabaseFolder {
 public:
  DatabaseFolder() {
    std::string pattern = testing::TempDir() + "sasld-store-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
    path_ = pattern;
  }
  DatabaseFolder(const DatabaseFolder&) = delete;
  DatabaseFolder& operator=(const DatabaseFolder&) = delete;
  ~DatabaseFolder() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }
  std::string file() const { return path_ + "/sasld.db"; }
  std::string url() const { return "sqlite:" + file(); }

  absl::StatusOr<std::unique_ptr<Store>> TryOpen(
      StorePresence presence = StorePresence::kCreateIfMissing) const {
    return OpenStore(url(), presence);
  }
  // For where anything but success ends the test (a null pointer does).
  std::unique_ptr<Store> Open() const {
    auto store = TryOpen();
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }

  // Every file in the folder with its bytes.
  std::map<std::string, std::string> Contents() const {
    std::map<std::string, std::string> contents;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      std::ifstream file(entry.path(), std::ios::binary);
      contents[entry.path().filename()] =
          std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return contents;
  }

 private:
  std::string path_;
};

}  // namespace sasld
