// What a program's environment says of its configuration: SASLD_STORE_URL is the key store.url.
//
// A key's variable is a prefix and the key's path in upper case, joined by _; an entry of an array
// of tables has its number, from 0, in the path. With _FILE behind it a variable names a file that
// holds the value, as container secrets come. Which keys there are is learnt from who reads them.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sasld {

// Whether Kubernetes, or what imitates it, sets this for a Service of the cluster:
// SASLD_SERVICE_HOST, SASLD_PORT=tcp://… where a Service is named "sasld".
bool IsOfAService(std::string_view name, std::string_view value);

// Not thread-safe.
class ConfigEnvironment {
 public:
  struct Program {
    std::string prefix;    // "SASLD_"
    std::string another;   // the prefix of another program's, which begins alike; empty: none
    std::string all_keys;  // where a person finds all keys, such as "sasld.toml(5)"
  };
  // A value, and the variable that it came by.
  struct Given {
    std::string variable;
    std::string text;
  };

  // Says nothing.
  ConfigEnvironment() = default;
  // Keeps the program's own of `variables`, which are as of environ(7).
  ConfigEnvironment(Program program, const char* const* variables);

  bool empty() const { return values_.empty(); }
  // "listen.0.path" to "SASLD_ADAPTER_LISTEN_0_PATH".
  std::string NameOf(std::string_view path) const;
  // Whether there is a variable for this path, or for one below it.
  bool Speaks(std::string_view path) const;

  // From here on `path` is known as a key. Its value; nothing where it is not given. Errors name
  // the variable: InvalidArgument; NotFound, PermissionDenied: its file cannot be opened.
  absl::StatusOr<std::optional<Given>> Take(std::string_view path);
  // From here on `path` is known as an array of tables with so many entries.
  void TakeArray(std::string_view path, size_t entries);
  // A line for each variable that no key has asked for, in order of names.
  std::vector<std::string> Unknown() const;
  // The names of all keys that are known by now.
  const std::set<std::string, std::less<>>& keys() const { return keys_; }

 private:
  absl::StatusOr<std::string> ReadFile(const std::string& variable, const std::string& path) const;
  std::string WhyUnknown(std::string_view name) const;
  std::string Nearest(std::string_view name) const;

  Program program_;
  std::map<std::string, std::string, std::less<>> values_;  // by name
  std::set<std::string, std::less<>> keys_;                 // names of all that may be given
  std::map<std::string, size_t, std::less<>> arrays_;       // names, and how many entries
};

}  // namespace sasld
