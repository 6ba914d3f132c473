#include "proto/common/toml_reader.h"

#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/common/edit_distance.h"

namespace sasld {

namespace {

// More is no configuration, but a mistaken path.
constexpr size_t kMaxFileBytes = 1 << 20;

// The line of a node; 1 for what stands nowhere in the text (the root of an empty document).
uint32_t LineOf(const toml::node& node) { return std::max(1U, node.source().begin.line); }

std::string_view TypeName(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a floating-point number";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::table:
      return "a table";
    default:
      return "a date or time";
  }
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  quoted.append(text).append("\"");
  return quoted;
}

}  // namespace

struct TomlDocument::Impl {
  std::string name;
  toml::table root;
  std::shared_ptr<TomlTable::Node> top;
  std::vector<std::pair<uint32_t, std::string>> errors;  // line, text without file and line
};

// A table as it is being read: what was asked of it, and the tables below it that were.
struct TomlTable::Node {
  TomlDocument::Impl* document;
  const toml::table* table;  // null: not in the text
  uint32_t line;             // the header's; an absent table has the line of the one above it
  std::string path;          // dotted, empty for the root
  std::set<std::string, std::less<>> asked = {};
  std::map<std::string, std::vector<std::shared_ptr<Node>>, std::less<>> below = {};

  std::string Dotted(std::string_view key) const {
    return path.empty() ? std::string(key) : path + "." + std::string(key);
  }

  const toml::node* Look(std::string_view key) const { return table ? table->get(key) : nullptr; }

  const toml::node* Ask(std::string_view key) {
    asked.emplace(key);
    return Look(key);
  }

  void Complain(uint32_t at, std::string_view key, std::string_view why) const {
    std::string text = Dotted(key);
    text.append(text.empty() ? "" : ": ").append(why);
    document->errors.emplace_back(at, std::move(text));
  }

  void ComplainOfType(const toml::node& value, std::string_view key,
                      std::string_view wanted) const {
    std::string why = "must be ";
    why.append(wanted).append(", is ").append(TypeName(value));
    Complain(LineOf(value), key, why);
  }

  // The string at `key`; nothing where it is absent, or of another type (then an error is noted).
  std::optional<std::string> AskString(std::string_view key, std::string_view wanted) {
    const toml::node* value = Ask(key);
    if (value == nullptr) return std::nullopt;
    if (const auto* text = value->as_string()) return text->get();
    ComplainOfType(*value, key, wanted);
    return std::nullopt;
  }

  std::shared_ptr<Node> MakeBelow(std::string_view key, const toml::table* found) {
    auto node =
        std::make_shared<Node>(Node{document, found, found ? LineOf(*found) : line, Dotted(key)});
    return node;
  }

  // The known key that was probably meant by `key`; empty if none is near.
  std::string_view Nearest(std::string_view key) const {
    std::string_view nearest;
    size_t least = std::max<size_t>(1, key.size() / 3) + 1;
    for (const std::string& known : asked) {
      if (Look(known) != nullptr) continue;  // in the text beside it, so not what was meant
      size_t distance = EditDistance(key, known);
      if (distance < least) {
        least = distance;
        nearest = known;
      }
    }
    return nearest;
  }

  void ComplainOfUnknown() const {
    if (table != nullptr) {
      for (const auto& [key, value] : *table) {
        if (asked.contains(key.str())) continue;
        std::string why = "unknown key";
        if (std::string_view near = Nearest(key.str()); !near.empty()) {
          why += "; did you mean " + Quoted(near) + "?";
        }
        Complain(std::max(1U, key.source().begin.line), key.str(), why);
      }
    }
    for (const auto& [key, tables] : below) {
      for (const auto& node : tables) node->ComplainOfUnknown();
    }
  }
};

std::string TomlTable::String(std::string_view key, std::string_view fallback) {
  return node_->AskString(key, "a string in quotes").value_or(std::string(fallback));
}

std::string TomlTable::RequiredString(std::string_view key) {
  if (!Has(key)) {
    node_->Ask(key);
    Reject(key, "is missing");
    return "";
  }
  std::string text = String(key, "");
  if (text.empty() && node_->Look(key)->is_string()) Reject(key, "must not be empty");
  return text;
}

std::vector<std::string> TomlTable::Strings(std::string_view key,
                                            std::vector<std::string> fallback) {
  constexpr std::string_view kWanted = R"(an array of strings such as ["a", "b"])";
  const toml::node* value = node_->Ask(key);
  if (value == nullptr) return fallback;
  const toml::array* array = value->as_array();
  if (array == nullptr) {
    node_->ComplainOfType(*value, key, kWanted);
    return fallback;
  }
  std::vector<std::string> strings;
  for (const toml::node& element : *array) {
    const auto* text = element.as_string();
    if (text == nullptr) {
      std::string why = "must hold strings only, holds ";
      node_->Complain(LineOf(element), key, why.append(TypeName(element)));
      return fallback;
    }
    strings.push_back(text->get());
  }
  return strings;
}

bool TomlTable::Boolean(std::string_view key, bool fallback) {
  const toml::node* value = node_->Ask(key);
  if (value == nullptr) return fallback;
  if (const auto* boolean = value->as_boolean()) return boolean->get();
  node_->ComplainOfType(*value, key, "true or false");
  return fallback;
}

int64_t TomlTable::Integer(std::string_view key, int64_t fallback, int64_t least, int64_t most) {
  const toml::node* value = node_->Ask(key);
  if (value == nullptr) return fallback;
  const auto* integer = value->as_integer();
  if (integer == nullptr) {
    node_->ComplainOfType(*value, key, "an integer");
    return fallback;
  }
  if (integer->get() >= least && integer->get() <= most) return integer->get();
  Reject(key, absl::StrCat(integer->get(), " is not between ", least, " and ", most));
  return fallback;
}

absl::Duration TomlTable::Duration(std::string_view key, absl::Duration fallback,
                                   absl::Duration least, absl::Duration most) {
  constexpr std::string_view kWanted = R"(a duration such as "2s", "500ms" or "1m")";
  std::optional<std::string> text = node_->AskString(key, kWanted);
  if (!text) return fallback;
  absl::Duration duration;
  if (!absl::ParseDuration(*text, &duration) || duration == absl::InfiniteDuration() ||
      duration == -absl::InfiniteDuration()) {
    Reject(key, Quoted(*text) + " is not " + std::string(kWanted));
    return fallback;
  }
  if (duration >= least && duration <= most) return duration;
  Reject(key, absl::StrCat(Quoted(*text), " is not between ", absl::FormatDuration(least), " and ",
                           absl::FormatDuration(most)));
  return fallback;
}

mode_t TomlTable::Mode(std::string_view key, mode_t fallback) {
  constexpr std::string_view kWanted = R"(an octal mode such as "0660")";
  std::optional<std::string> text = node_->AskString(key, kWanted);
  if (!text) return fallback;
  // Four digits, the first a 0: "660" may be octal or decimal, and set-id bits mean nothing here.
  bool octal = text->size() == 4 && text->front() == '0' &&
               text->find_first_not_of("01234567") == std::string::npos;
  if (!octal) {
    Reject(key, Quoted(*text) + " is not " + std::string(kWanted));
    return fallback;
  }
  mode_t mode = 0;
  for (char digit : *text) mode = mode * 8 + static_cast<mode_t>(digit - '0');
  return mode;
}

TomlTable TomlTable::Table(std::string_view key) {
  const toml::node* value = node_->Ask(key);
  auto& tables = node_->below[std::string(key)];
  if (tables.empty()) {
    const toml::table* table = value ? value->as_table() : nullptr;
    if (value != nullptr && table == nullptr) {
      node_->ComplainOfType(*value, key, "one table, [" + node_->Dotted(key) + "]");
    }
    tables.push_back(node_->MakeBelow(key, table));
  }
  return TomlTable(tables.front());
}

std::vector<TomlTable> TomlTable::Tables(std::string_view key) {
  std::vector<TomlTable> result;
  const toml::node* value = node_->Ask(key);
  if (value == nullptr) return result;
  auto& tables = node_->below[std::string(key)];
  if (tables.empty()) {
    const toml::array* array = value->as_array();
    if (array == nullptr || !std::all_of(array->begin(), array->end(),
                                         [](const toml::node& e) { return e.is_table(); })) {
      node_->ComplainOfType(*value, key, "an array of tables, [[" + node_->Dotted(key) + "]]");
      return result;
    }
    for (const toml::node& element : *array) {
      tables.push_back(node_->MakeBelow(key, element.as_table()));
    }
  }
  for (const auto& node : tables) result.push_back(TomlTable(node));
  return result;
}

void TomlTable::Reject(std::string_view key, std::string_view why) {
  const toml::node* value = node_->Look(key);
  node_->Complain(value ? LineOf(*value) : node_->line, key, why);
}

bool TomlTable::Has(std::string_view key) const { return node_->Look(key) != nullptr; }

TomlDocument::TomlDocument(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TomlDocument::TomlDocument(TomlDocument&&) noexcept = default;
TomlDocument& TomlDocument::operator=(TomlDocument&&) noexcept = default;
TomlDocument::~TomlDocument() = default;

absl::StatusOr<TomlDocument> TomlDocument::Load(const std::string& path) {
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
  return Parse(text, path);
}

absl::StatusOr<TomlDocument> TomlDocument::Parse(std::string_view text, std::string name) {
  auto impl = std::make_unique<Impl>();
  impl->name = std::move(name);
  try {
    impl->root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return absl::InvalidArgumentError(absl::StrCat(impl->name, ":",
                                                   std::max(1U, error.source().begin.line), ": ",
                                                   std::string(error.description())));
  }
  impl->top = std::make_shared<TomlTable::Node>(TomlTable::Node{impl.get(), &impl->root, 1, ""});
  return TomlDocument(std::move(impl));
}

TomlTable TomlDocument::Root() { return TomlTable(impl_->top); }

absl::Status TomlDocument::Finish() {
  impl_->top->ComplainOfUnknown();
  auto errors = std::exchange(impl_->errors, {});
  if (errors.empty()) return absl::OkStatus();
  std::stable_sort(errors.begin(), errors.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  return absl::InvalidArgumentError(
      absl::StrJoin(errors, "\n", [this](std::string* out, const auto& error) {
        absl::StrAppend(out, impl_->name, ":", error.first, ": ", error.second);
      }));
}

}  // namespace sasld
