#include "proto/common/toml_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace sasld {
namespace {

// Names in configurations are short; more than this apart is another word.
constexpr size_t kMaxTypos = 2;

// Levenshtein's distance.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row.back();
}

// Value as it would be written in the file, for errors.
std::string Quoted(std::string_view text) { return absl::StrCat("\"", std::string(text), "\""); }

std::optional<mode_t> ParseMode(std::string_view text) {
  if (text.size() != 4 || text[0] != '0') return std::nullopt;
  mode_t mode = 0;
  for (const char c : text) {
    if (c < '0' || c > '7') return std::nullopt;
    mode = mode * 8 + static_cast<mode_t>(c - '0');
  }
  return mode;
}

}  // namespace

struct TomlDocument::Impl {
  struct Mistake {
    uint32_t line;
    std::string text;
  };
  std::string name;
  toml::table root;
  std::vector<Mistake> mistakes;
  std::shared_ptr<TomlTable::Node> root_node;
  std::vector<std::shared_ptr<TomlTable::Node>> nodes;  // every table that was asked for
};

struct TomlTable::Node {
  TomlDocument::Impl* document = nullptr;
  const toml::table* table = nullptr;  // null: absent
  std::string path;                    // "listen.tls", empty for the root
  uint32_t line = 1;
  std::set<std::string> known;

  std::string PathOf(std::string_view key) const {
    return path.empty() ? std::string(key) : absl::StrCat(path, ".", std::string(key));
  }
  const toml::node* Find(std::string_view key) {
    known.emplace(key);
    return table ? table->get(key) : nullptr;
  }
  uint32_t LineOf(std::string_view key) const {
    const toml::node* node = table ? table->get(key) : nullptr;
    return node ? node->source().begin.line : line;
  }
  void Reject(std::string_view key, std::string_view why) {
    const uint32_t at = LineOf(key);
    document->mistakes.push_back({at, absl::StrCat(document->name, ":", at, ": ", PathOf(key), ": ",
                                                   std::string(why))});
  }
  std::shared_ptr<Node> Child(const toml::node* found, std::string_view key) {
    auto child = std::make_shared<Node>();
    child->document = document;
    child->table = found ? found->as_table() : nullptr;
    child->path = PathOf(key);
    child->line = found ? found->source().begin.line : line;
    document->nodes.push_back(child);
    return child;
  }
  // Tells every key that nobody asked for.
  void RejectUnknown() {
    if (!table) return;
    for (const auto& [key, value] : *table) {
      const std::string name(key.str());
      if (known.contains(name)) continue;
      std::string why = "unknown key";
      for (const std::string& candidate : known) {
        if (Distance(candidate, name) <= kMaxTypos) {
          absl::StrAppend(&why, "; did you mean \"", candidate, "\"?");
          break;
        }
      }
      Reject(name, why);
    }
  }
};

std::string TomlTable::String(std::string_view key, std::string_view fallback) {
  const toml::node* found = node_->Find(key);
  if (!found) return std::string(fallback);
  if (const auto* text = found->as_string()) return text->get();
  node_->Reject(key, "must be a text in quotes");
  return std::string(fallback);
}

std::string TomlTable::RequiredString(std::string_view key) {
  if (!Has(key)) {
    node_->Find(key);
    node_->Reject(key, "is missing");
    return "";
  }
  return String(key, "");
}

std::vector<std::string> TomlTable::Strings(std::string_view key,
                                            std::vector<std::string> fallback) {
  const toml::node* found = node_->Find(key);
  if (!found) return fallback;
  const auto* array = found->as_array();
  std::vector<std::string> texts;
  bool good = array != nullptr;
  if (array) {
    for (const toml::node& element : *array) {
      const auto* text = element.as_string();
      good = good && text;
      if (text) texts.push_back(text->get());
    }
  }
  if (good) return texts;
  node_->Reject(key, "must be a list of texts in quotes, such as [\"a\", \"b\"]");
  return fallback;
}

bool TomlTable::Boolean(std::string_view key, bool fallback) {
  const toml::node* found = node_->Find(key);
  if (!found) return fallback;
  if (const auto* value = found->as_boolean()) return value->get();
  node_->Reject(key, "must be true or false");
  return fallback;
}

int64_t TomlTable::Integer(std::string_view key, int64_t fallback, int64_t least, int64_t most) {
  const toml::node* found = node_->Find(key);
  if (!found) return fallback;
  const auto* value = found->as_integer();
  if (!value) {
    node_->Reject(key, "must be a whole number");
  } else if (value->get() < least || value->get() > most) {
    node_->Reject(key, absl::StrCat(value->get(), " is not between ", least, " and ", most));
  } else {
    return value->get();
  }
  return fallback;
}

absl::Duration TomlTable::Duration(std::string_view key, absl::Duration fallback,
                                   absl::Duration least, absl::Duration most) {
  const toml::node* found = node_->Find(key);
  if (!found) return fallback;
  const auto* text = found->as_string();
  absl::Duration duration;
  if (!text || !absl::ParseDuration(text->get(), &duration)) {
    node_->Reject(key, "must be a duration in quotes, such as \"2s\", \"500ms\" or \"1m\"");
  } else if (duration < least || duration > most) {
    node_->Reject(key, absl::StrCat(Quoted(text->get()), " is not between ",
                                    absl::FormatDuration(least), " and ",
                                    absl::FormatDuration(most)));
  } else {
    return duration;
  }
  return fallback;
}

mode_t TomlTable::Mode(std::string_view key, mode_t fallback) {
  const toml::node* found = node_->Find(key);
  if (!found) return fallback;
  const auto* text = found->as_string();
  if (!text) {
    node_->Reject(key, "must be an octal mode in quotes, such as \"0660\"");
    return fallback;
  }
  if (const auto mode = ParseMode(text->get())) return *mode;
  node_->Reject(key,
                absl::StrCat(Quoted(text->get()), " is not an octal mode such as \"0660\""));
  return fallback;
}

TomlTable TomlTable::Table(std::string_view key) {
  const toml::node* found = node_->Find(key);
  if (found && !found->is_table()) node_->Reject(key, absl::StrCat("must be a table [", node_->PathOf(key), "]"));
  return TomlTable(node_->Child(found, key));
}

std::vector<TomlTable> TomlTable::Tables(std::string_view key) {
  const toml::node* found = node_->Find(key);
  std::vector<TomlTable> tables;
  if (!found) return tables;
  const auto* array = found->as_array();
  if (!array || !array->is_array_of_tables()) {
    node_->Reject(key, absl::StrCat("must be tables [[", node_->PathOf(key), "]]"));
    return tables;
  }
  for (const toml::node& element : *array) tables.push_back(TomlTable(node_->Child(&element, key)));
  return tables;
}

void TomlTable::Reject(std::string_view key, std::string_view why) { node_->Reject(key, why); }

bool TomlTable::Has(std::string_view key) const {
  return node_->table && node_->table->contains(key);
}

TomlDocument::TomlDocument(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TomlDocument::TomlDocument(TomlDocument&&) noexcept = default;
TomlDocument& TomlDocument::operator=(TomlDocument&&) noexcept = default;
TomlDocument::~TomlDocument() = default;

absl::StatusOr<TomlDocument> TomlDocument::Load(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || file.bad()) {
    const int error = errno;
    const std::string why = absl::StrCat(path, ": cannot be read: ", std::strerror(error));
    return error == ENOENT ? absl::NotFoundError(why) : absl::PermissionDeniedError(why);
  }
  return Parse(text.str(), path);
}

absl::StatusOr<TomlDocument> TomlDocument::Parse(std::string_view text, std::string name) {
  toml::parse_result parsed = toml::parse(text, name);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return absl::InvalidArgumentError(absl::StrCat(name, ":", error.source().begin.line, ": ",
                                                   std::string(error.description())));
  }
  auto impl = std::make_unique<Impl>();
  impl->name = std::move(name);
  impl->root = std::move(parsed).table();
  return TomlDocument(std::move(impl));
}

TomlTable TomlDocument::Root() {
  if (!impl_->root_node) {
    auto node = std::make_shared<TomlTable::Node>();
    node->document = impl_.get();
    node->table = &impl_->root;
    impl_->root_node = node;
    impl_->nodes.push_back(node);
  }
  return TomlTable(impl_->root_node);
}

absl::Status TomlDocument::Finish() {
  for (const auto& node : impl_->nodes) node->RejectUnknown();
  impl_->nodes.clear();
  std::vector<Impl::Mistake>& mistakes = impl_->mistakes;
  if (mistakes.empty()) return absl::OkStatus();
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [](const Impl::Mistake& a, const Impl::Mistake& b) { return a.line < b.line; });
  return absl::InvalidArgumentError(
      absl::StrJoin(mistakes, "\n", [](std::string* out, const Impl::Mistake& mistake) {
        out->append(mistake.text);
      }));
}

}  // namespace sasld
