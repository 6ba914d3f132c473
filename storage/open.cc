#include "storage/open.h"

#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "storage/memory/memory_store.h"
#include "storage/sqlite/check_database.h"
#include "storage/sqlite/sqlite_store.h"

namespace sasld {
namespace {

struct BackEnd {
  std::string_view scheme;
  bool takes_path;
  absl::StatusOr<std::unique_ptr<Store>> (*open)(const std::string& location,
                                                 StorePresence presence, const RecordKeys& keys);
  absl::StatusOr<bool> (*exists)(const std::string& location);
  absl::StatusOr<uint64_t> (*check_backup)(const std::string& path, const RecordKeys& keys);
};

constexpr std::array kBackEnds = {
    BackEnd{"memory:", false,
            [](const std::string&, StorePresence, const RecordKeys&)
                -> absl::StatusOr<std::unique_ptr<Store>> { return MakeMemoryStore(); },
            [](const std::string&) -> absl::StatusOr<bool> { return false; },
            [](const std::string&, const RecordKeys&) -> absl::StatusOr<uint64_t> {
              return absl::FailedPreconditionError(
                  "store.url is memory:, of which there are no backups");
            }},
    BackEnd{"sqlite:", true, &OpenSqliteStore, &SqliteStoreExists,
            [](const std::string& path, const RecordKeys& keys) {
              return CheckDatabase(path, keys, [](const BackupProgress&) { return true; });
            }},
};

// The back end of a URL and what follows its scheme.
absl::StatusOr<std::pair<const BackEnd*, std::string>> Find(std::string_view url) {
  for (const BackEnd& back_end : kBackEnds) {
    if (url.starts_with(back_end.scheme)) {
      if (back_end.takes_path && url == back_end.scheme) {
        return absl::InvalidArgumentError(absl::StrCat("\"", std::string(url), "\" has no path"));
      }
      return std::pair(&back_end, std::string(url.substr(back_end.scheme.size())));
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", std::string(url), "\" is neither memory: nor sqlite:/path"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenStore(std::string_view url, StorePresence presence,
                                                 const RecordKeys& keys) {
  const auto found = Find(url);
  if (!found.ok()) return found.status();
  return found->first->open(found->second, presence, keys);
}

absl::Status CheckStoreUrl(std::string_view url) { return Find(url).status(); }

absl::StatusOr<uint64_t> CheckBackup(std::string_view url, const std::string& path,
                                     const RecordKeys& keys) {
  const auto found = Find(url);
  if (!found.ok()) return found.status();
  return found->first->check_backup(path, keys);
}

absl::StatusOr<bool> StoreExists(std::string_view url) {
  const auto found = Find(url);
  if (!found.ok()) return found.status();
  return found->first->exists(found->second);
}

}  // namespace sasld
