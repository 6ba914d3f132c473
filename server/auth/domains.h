// What an administrator does to domains: the defaults of their accounts.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/store.h"

namespace sasld {

// What is there is changed; the rest stays as it is.
struct DomainChanges {
  std::optional<bool> enabled = std::nullopt;
  std::optional<bool> require_app_password = std::nullopt;
  std::optional<bool> send_only = std::nullopt;
  std::optional<std::vector<std::string>> services = std::nullopt;
  std::optional<std::vector<std::string>> networks = std::nullopt;
  std::optional<std::vector<std::string>> mechanisms = std::nullopt;
  std::map<std::string, std::string> attributes = {};     // as CheckAttributeDefault() has them
  std::vector<std::string> attributes_to_take_away = {};  // those that there are
};

// Thread-safe. The store must outlive it.
//
// Names are prepared as users' are. Errors common to all: InvalidArgument (the text names the
// field, such as "name", and the rule), NotFound, Unavailable (nothing was changed).
class Domains {
 public:
  explicit Domains(Store& store) : store_(store) {}

  // Makes one of that name if there is none. It holds for the next step of any login.
  // FailedPrecondition: it would have more than kMostAttributes.
  absl::StatusOr<Domain> Set(std::string_view name, const DomainChanges& changes);
  absl::StatusOr<Domain> Get(std::string_view name) const;
  // The prepared name of the one that it removed. Its accounts stay, without defaults.
  absl::StatusOr<std::string> Remove(std::string_view name);

 private:
  Store& store_;
};

}  // namespace sasld
