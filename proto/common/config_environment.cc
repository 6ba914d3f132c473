#include "proto/common/config_environment.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "proto/common/edit_distance.h"
#include "proto/common/file_advice.h"
#include "proto/common/status_macros.h"

namespace sasld {
namespace {

constexpr std::string_view kFile = "_FILE";
// The longest value is a list of addresses.
constexpr size_t kMaxFileBytes = size_t{64} * 1024;

// Cuts the digits off the front; whether there were any.
bool TakeDigits(std::string_view& text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(digits);
  return digits > 0;
}

// What follows "_PORT" of a Service: "", or "_4720_TCP" with or without "_ADDR" and the like.
bool IsPortOfAService(std::string_view rest, std::string_view value) {
  // SASLD_PORT=tcp://10.0.0.7:4720; one that a person means as a key has no such value.
  if (rest.empty()) return value.find("://") != std::string_view::npos;
  if (!rest.starts_with('_')) return false;
  rest.remove_prefix(1);
  if (!TakeDigits(rest)) return false;
  for (const std::string_view protocol : {"_TCP", "_UDP", "_SCTP"}) {
    if (!rest.starts_with(protocol)) continue;
    const std::string_view end = rest.substr(protocol.size());
    return end.empty() || end == "_ADDR" || end == "_PORT" || end == "_PROTO";
  }
  return false;
}

std::string CannotRead(const std::string& variable, const std::string& path, int error) {
  return absl::StrCat(variable, ": ", path, " cannot be read: ", WhyNotRead(path, error));
}

// One line of text, as a value in the file would be.
absl::Status CheckText(const std::string& variable, std::string_view text) {
  const auto is_control = [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); };
  if (std::none_of(text.begin(), text.end(), is_control)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      variable, ": holds more than one line of text, or a control character; is it a value?"));
}

}  // namespace

bool IsOfAService(std::string_view name, std::string_view value) {
  if (name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT") ||
      name.find("_SERVICE_PORT_") != std::string_view::npos) {
    return true;
  }
  constexpr std::string_view kPort = "_PORT";
  // The first may be in the Service's name, as in SASLD_PORT_GUARD_PORT_1_TCP.
  for (size_t at = name.find(kPort); at != std::string_view::npos; at = name.find(kPort, at + 1)) {
    if (IsPortOfAService(name.substr(at + kPort.size()), value)) return true;
  }
  return false;
}

ConfigEnvironment::ConfigEnvironment(Program program, const char* const* variables)
    : program_(std::move(program)) {
  for (; *variables != nullptr; ++variables) {
    const std::string_view variable = *variables;
    const size_t equals = variable.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = variable.substr(0, equals);
    const std::string_view value = variable.substr(equals + 1);
    if (!name.starts_with(program_.prefix) || IsOfAService(name, value)) continue;
    if (!program_.another.empty() && name.starts_with(program_.another)) continue;
    values_.emplace(name, value);
  }
}

std::string ConfigEnvironment::NameOf(std::string_view path) const {
  std::string name = program_.prefix;
  for (const char c : path) {
    name += c == '.' ? '_' : absl::ascii_toupper(static_cast<unsigned char>(c));
  }
  return name;
}

bool ConfigEnvironment::Speaks(std::string_view path) const {
  const std::string name = NameOf(path);
  const std::string below = name + "_";
  const auto first = values_.lower_bound(below);
  return values_.contains(name) || (first != values_.end() && first->first.starts_with(below));
}

absl::StatusOr<std::optional<ConfigEnvironment::Given>> ConfigEnvironment::Take(
    std::string_view path) {
  const std::string name = NameOf(path);
  const std::string by_file = absl::StrCat(name, std::string(kFile));
  keys_.insert(name);
  const auto value = values_.find(name);
  const auto file = values_.find(by_file);
  if (value != values_.end() && file != values_.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": is set, and so is ", by_file, "; take one of them away"));
  }
  if (file != values_.end()) {
    ASSIGN_OR_RETURN(std::string text, ReadFile(by_file, file->second));
    return Given{by_file, std::move(text)};
  }
  if (value == values_.end()) return std::nullopt;
  RETURN_IF_ERROR(CheckText(name, value->second));
  return Given{name, value->second};
}

absl::StatusOr<std::string> ConfigEnvironment::ReadFile(const std::string& variable,
                                                        const std::string& path) const {
  // Not blocking: a pipe would keep us waiting for who writes into it.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    const int error = errno;
    const std::string text = CannotRead(variable, path, error);
    return error == EACCES ? absl::PermissionDeniedError(text) : absl::NotFoundError(text);
  }
  const absl::Cleanup closer = [fd] { close(fd); };
  struct stat facts {};
  if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(variable, ": ", path, " is not a file"));
  }
  std::string text(kMaxFileBytes + 1, '\0');
  size_t used = 0;
  while (used < text.size()) {
    const ssize_t got = read(fd, text.data() + used, text.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::InvalidArgumentError(CannotRead(variable, path, errno));
    if (got == 0) break;
    used += static_cast<size_t>(got);
  }
  if (used > kMaxFileBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(variable, ": ", path, " is larger than 64 KiB; is it a value?"));
  }
  text.resize(used);
  // Editors and echo(1) put one there.
  if (text.ends_with('\n')) text.pop_back();
  RETURN_IF_ERROR(CheckText(absl::StrCat(variable, ": ", path), text));
  return text;
}

void ConfigEnvironment::TakeArray(std::string_view path, size_t entries) {
  arrays_[NameOf(path)] = entries;
}

std::string ConfigEnvironment::Nearest(std::string_view name) const {
  // The prefix is the same in all of them; it is not to make names look alike.
  const size_t prefix = program_.prefix.size();
  size_t least = std::max<size_t>(2, (name.size() - prefix) / 3) + 1;
  std::string nearest;
  for (const std::string& key : keys_) {
    const bool is_the_table = key.starts_with(absl::StrCat(std::string(name), "_"));
    const size_t distance =
        is_the_table ? 1 : EditDistance(name.substr(prefix), key.substr(prefix));
    if (distance < least) {
      least = distance;
      nearest = key;
    }
  }
  return nearest;
}

std::string ConfigEnvironment::WhyUnknown(std::string_view name) const {
  for (const auto& [array, entries] : arrays_) {
    if (!name.starts_with(array + "_")) continue;
    const std::string_view rest = name.substr(array.size() + 1);
    size_t index = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), index);
    if (error == std::errc() && end != rest.data() + rest.size() && *end == '_' &&
        index >= entries) {
      return absl::StrCat("there is no entry ", entries, " before it (", array, "_", entries,
                          "_…); they are counted from 0, those of the file first");
    }
  }
  const std::string nearest = Nearest(name);
  if (nearest.empty()) {
    return absl::StrCat("is no key of the configuration; see ", program_.all_keys);
  }
  return absl::StrCat("is no key of the configuration; did you mean ", nearest, "?");
}

std::vector<std::string> ConfigEnvironment::Unknown() const {
  std::vector<std::string> lines;
  for (const auto& [name, value] : values_) {
    std::string_view of_key = name;
    if (of_key.ends_with(kFile)) of_key.remove_suffix(kFile.size());
    if (keys_.contains(name) || keys_.contains(of_key)) continue;
    lines.push_back(absl::StrCat(name, ": ", WhyUnknown(name)));
  }
  return lines;
}

}  // namespace sasld
