#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/common/toml_node.h"
#include "proto/common/toml_reader.h"

namespace sasld {
namespace {

// More is no configuration, but a mistaken path.
constexpr size_t kMaxFileBytes = 1 << 20;

}  // namespace

TomlDocument::TomlDocument(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TomlDocument::TomlDocument(TomlDocument&&) noexcept = default;
TomlDocument& TomlDocument::operator=(TomlDocument&&) noexcept = default;
TomlDocument::~TomlDocument() = default;

std::string ConfigSource::Name() const {
  const bool alone = may_be_missing && !environment.empty() && access(path.c_str(), F_OK) != 0 &&
                     (errno == ENOENT || errno == ENOTDIR);
  return alone ? "environment" : path;
}

absl::StatusOr<TomlDocument> TomlDocument::Load(const ConfigSource& source) {
  const std::string& path = source.path;
  if (std::string name = source.Name(); name != path) {
    absl::StatusOr<TomlDocument> document = Parse("", std::move(name), source.environment);
    if (document.ok()) document->impl_->has_text = false;
    return document;
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    int why = errno;
    const std::string text = path + ": cannot be opened: " + std::strerror(why);
    if (why == EACCES) {
      return absl::PermissionDeniedError(absl::StrCat(
          text, "; it must be readable for the user this runs as (uid ", geteuid(), ")"));
    }
    return absl::NotFoundError(text + "; make it, or name another with --config");
  }
  std::string text(kMaxFileBytes + 1, '\0');
  errno = 0;
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) {
    return absl::InvalidArgumentError(path + ": cannot be read: " + std::strerror(errno));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMaxFileBytes) {
    return absl::InvalidArgumentError(path + ": is larger than 1 MiB; is it a configuration?");
  }
  return Parse(text, path, source.environment);
}

absl::StatusOr<TomlDocument> TomlDocument::Parse(std::string_view text, std::string name,
                                                 ConfigEnvironment environment) {
  auto impl = std::make_unique<Impl>();
  impl->name = std::move(name);
  impl->environment = std::move(environment);
  try {
    impl->root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return absl::InvalidArgumentError(absl::StrCat(impl->name, ":",
                                                   std::max(1U, error.source().begin.line), ": ",
                                                   std::string(error.description())));
  }
  impl->top =
      std::make_shared<TomlTable::Node>(TomlTable::Node{impl.get(), &impl->root, 1, "", "", false});
  return TomlDocument(std::move(impl));
}

TomlTable TomlDocument::Root() { return TomlTable(impl_->top); }

absl::Status TomlDocument::Finish() {
  impl_->top->ComplainOfUnknown();
  for (std::string& line : impl_->environment.Unknown()) {
    impl_->ComplainOfVariable(std::move(line));
  }
  auto errors = std::exchange(impl_->errors, {});
  if (errors.empty()) return absl::OkStatus();
  std::stable_sort(errors.begin(), errors.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  return absl::InvalidArgumentError(absl::StrJoin(
      errors, "\n",
      [](std::string* out, const auto& error) { absl::StrAppend(out, error.second); }));
}

}  // namespace sasld
