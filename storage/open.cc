#include "storage/open.h"

#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "storage/memory/memory_store.h"
#include "storage/sqlite/sqlite_store.h"

namespace sasld {
namespace {

struct BackEnd {
  std::string_view scheme;
  absl::StatusOr<std::unique_ptr<Store>> (*open)(const std::string& location,
                                                 StorePresence presence);
  absl::StatusOr<bool> (*exists)(const std::string& location);
};

constexpr std::array kBackEnds = {
    BackEnd{"memory:",
            [](const std::string&, StorePresence) -> absl::StatusOr<std::unique_ptr<Store>> {
              return MakeMemoryStore();
            },
            [](const std::string&) -> absl::StatusOr<bool> { return false; }},
    BackEnd{"sqlite:", &OpenSqliteStore, &SqliteStoreExists},
};

// The back end of a URL and what follows its scheme.
absl::StatusOr<std::pair<const BackEnd*, std::string>> Find(std::string_view url) {
  for (const BackEnd& back_end : kBackEnds) {
    if (url.starts_with(back_end.scheme)) {
      return std::pair(&back_end, std::string(url.substr(back_end.scheme.size())));
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("store.url: \"", std::string(url), "\" is neither memory: nor sqlite:/path"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenStore(std::string_view url, StorePresence presence) {
  const auto found = Find(url);
  if (!found.ok()) return found.status();
  return found->first->open(found->second, presence);
}

absl::StatusOr<bool> StoreExists(std::string_view url) {
  const auto found = Find(url);
  if (!found.ok()) return found.status();
  return found->first->exists(found->second);
}

}  // namespace sasld
