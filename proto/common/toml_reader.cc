#include "proto/common/toml_reader.h"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "proto/common/toml_node.h"

namespace sasld {
namespace {

// A variable's text as a list: separated by commas, without the blanks around them. Nothing, with
// `empty_element` set, where one is empty.
std::unique_ptr<toml::node> ParseList(std::string_view text, bool& empty_element) {
  auto list = std::make_unique<toml::array>();
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string element(text.substr(0, comma));
    absl::StripAsciiWhitespace(&element);
    empty_element = element.empty() || comma + 1 == text.size();
    if (empty_element) return nullptr;
    list->push_back(std::move(element));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return list;
}

}  // namespace

std::string TomlTable::String(std::string_view key, std::string_view fallback) {
  return node_->AskString(key, "a string in quotes").value_or(std::string(fallback));
}

std::string TomlTable::RequiredString(std::string_view key) {
  if (!Has(key)) {
    String(key, "");  // from here on it is a known key
    Reject(key, "is missing");
    return "";
  }
  std::string text = String(key, "");
  const toml::node* value = node_->Look(key);
  if (text.empty() && value != nullptr && value->is_string()) Reject(key, "must not be empty");
  return text;
}

std::vector<std::string> TomlTable::Strings(std::string_view key,
                                            std::vector<std::string> fallback) {
  constexpr std::string_view kWanted = R"(an array of strings such as ["a", "b"])";
  const toml::node* value = node_->Ask(key, [this, key](const std::string& text) {
    bool empty_element = false;
    std::unique_ptr<toml::node> list = ParseList(text, empty_element);
    if (empty_element) Reject(key, Quoted(text) + " has an empty element between its commas");
    return list;
  });
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
  const toml::node* value =
      node_->Ask(key, [this, key](const std::string& text) -> std::unique_ptr<toml::node> {
        if (text == "true" || text == "false") {
          return std::make_unique<toml::value<bool>>(text == "true");
        }
        Reject(key, Quoted(text) + " is neither true nor false");
        return nullptr;
      });
  if (value == nullptr) return fallback;
  if (const auto* boolean = value->as_boolean()) return boolean->get();
  node_->ComplainOfType(*value, key, "true or false");
  return fallback;
}

int64_t TomlTable::Integer(std::string_view key, int64_t fallback, int64_t least, int64_t most) {
  const toml::node* value =
      node_->Ask(key, [this, key](const std::string& text) -> std::unique_ptr<toml::node> {
        int64_t number = 0;
        const char* end = text.data() + text.size();
        const auto [stopped, error] = std::from_chars(text.data(), end, number);
        if (error == std::errc() && stopped == end) {
          return std::make_unique<toml::value<int64_t>>(number);
        }
        Reject(key, Quoted(text) + " is not an integer");
        return nullptr;
      });
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
  const toml::node* value = node_->AskTable(key);
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
  const toml::node* value = node_->AskTable(key);
  auto& tables = node_->below[std::string(key)];
  if (tables.empty()) {
    const toml::array* array = value ? value->as_array() : nullptr;
    if (value != nullptr &&
        (array == nullptr || !std::all_of(array->begin(), array->end(),
                                          [](const toml::node& e) { return e.is_table(); }))) {
      node_->ComplainOfType(*value, key, "an array of tables, [[" + node_->Dotted(key) + "]]");
      return result;
    }
    const size_t in_text = array ? array->size() : 0;
    for (size_t i = 0; i < in_text; ++i) {
      tables.push_back(node_->MakeEntry(key, i, array->get(i)->as_table()));
    }
    ConfigEnvironment& environment = node_->document->environment;
    const std::string indexed = Node::Under(node_->indexed, key);
    while (environment.Speaks(absl::StrCat(indexed, ".", tables.size()))) {
      tables.push_back(node_->MakeEntry(key, tables.size(), nullptr));
    }
    environment.TakeArray(indexed, tables.size());
  }
  for (const auto& node : tables) result.push_back(TomlTable(node));
  return result;
}

void TomlTable::Reject(std::string_view key, std::string_view why) {
  const toml::node* value = node_->InText(key);
  node_->Complain(value ? LineOf(*value) : node_->line, key, why);
}

std::string TomlTable::Place(std::string_view key) const {
  const auto variable = node_->variables.find(key);
  if (variable != node_->variables.end()) return variable->second;
  const toml::node* value = node_->InText(key);
  if (value == nullptr) return node_->Dotted(key);
  return absl::StrCat(node_->document->name, ":", LineOf(*value), ": ", node_->Dotted(key));
}

bool TomlTable::Has(std::string_view key) const {
  return node_->Look(key) != nullptr ||
         node_->document->environment.Speaks(Node::Under(node_->indexed, key));
}

}  // namespace sasld
