// A folder of its own for a test of the SQLite store.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>

#include "storage/open.h"
#include "tests/storage/accounts.h"

namespace sasld {

// Where files are written to memory, if there is such a place: for tests that write much and to
// which a real disk is all the same.
inline std::string InMemory() {
  const std::string memory = "/dev/shm";
  return access(memory.c_str(), W_OK) == 0 ? memory : testing::TempDir();
}

class DatabaseFolder {
 public:
  explicit DatabaseFolder(const std::string& under = testing::TempDir()) {
    std::string pattern = std::filesystem::path(under) / "sasld-store-XXXXXX";
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
    return OpenStore(url(), presence, SampleRecordKeys());
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
