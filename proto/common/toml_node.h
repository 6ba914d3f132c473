// The inside of toml_reader.h: a document, and a table of it as it is being read.
#pragma once

#include <toml++/toml.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/common/config_environment.h"
#include "proto/common/edit_distance.h"
#include "proto/common/toml_reader.h"

namespace sasld {

// The line of a node; 1 for what stands nowhere in the text (the root of an empty document).
inline uint32_t LineOf(const toml::node& node) { return std::max(1U, node.source().begin.line); }

inline std::string_view TypeName(const toml::node& node) {
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

inline std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  quoted.append(text).append("\"");
  return quoted;
}

struct TomlDocument::Impl {
  std::string name;
  toml::table root;
  std::shared_ptr<TomlTable::Node> top;
  ConfigEnvironment environment;
  bool has_text = true;  // else there is no file, and all is said of variables
  std::vector<std::pair<uint32_t, std::string>> errors;  // line, for their order, and text

  void Complain(uint32_t line, std::string_view text) {
    errors.emplace_back(line, absl::StrCat(name, ":", line, ": ", std::string(text)));
  }
  void ComplainOfVariable(std::string text) {
    errors.emplace_back(std::numeric_limits<uint32_t>::max(), std::move(text));
  }
};

// A table as it is being read: what was asked of it, and the tables below it that were.
struct TomlTable::Node {
  TomlDocument::Impl* document;
  const toml::table* table;  // null: not in the text
  uint32_t line;             // the header's; an absent table has the line of the one above it
  std::string path;          // dotted, empty for the root
  std::string indexed;       // the same with the numbers of entries: "listen.0"
  bool of_variables;         // not in the text, but there all the same
  std::set<std::string, std::less<>> asked = {};
  std::map<std::string, std::vector<std::shared_ptr<Node>>, std::less<>> below = {};
  // What the environment gives, and by which variable.
  std::map<std::string, std::unique_ptr<toml::node>, std::less<>> given = {};
  std::map<std::string, std::string, std::less<>> variables = {};

  static std::string Under(const std::string& above, std::string_view key) {
    return above.empty() ? std::string(key) : above + "." + std::string(key);
  }
  std::string Dotted(std::string_view key) const { return Under(path, key); }

  const toml::node* InText(std::string_view key) const { return table ? table->get(key) : nullptr; }

  const toml::node* Look(std::string_view key) const {
    const auto found = given.find(key);
    return found != given.end() ? found->second.get() : InText(key);
  }

  // For a table, or an array of them: those are in the text, and variables are below them.
  const toml::node* AskTable(std::string_view key) {
    asked.emplace(key);
    return InText(key);
  }

  // For a value. `parse` makes one of a variable's text, or complains and makes none; then the
  // fallback stands, and not what is in the text.
  template <class Parse>
  const toml::node* Ask(std::string_view key, Parse parse) {
    const bool first = asked.emplace(key).second;
    if (!first && Look(key) != nullptr) return Look(key);
    auto taken = document->environment.Take(Under(indexed, key));
    if (!taken.ok()) {
      document->ComplainOfVariable(std::string(taken.status().message()));
      return nullptr;
    }
    if (!taken->has_value()) return InText(key);
    variables.emplace(key, (*taken)->variable);
    std::unique_ptr<toml::node> value = parse((*taken)->text);
    const toml::node* result = value.get();
    if (value) given.emplace(key, std::move(value));
    return result;
  }

  void Complain(uint32_t at, std::string_view key, std::string_view why) const {
    const auto variable = variables.find(key);
    const bool absent = InText(key) == nullptr;
    if (variable != variables.end() || (absent && (of_variables || !document->has_text))) {
      const std::string name = variable != variables.end()
                                   ? variable->second
                                   : document->environment.NameOf(Under(indexed, key));
      document->ComplainOfVariable(absl::StrCat(name, ": ", std::string(why)));
      return;
    }
    std::string text = Dotted(key);
    text.append(text.empty() ? "" : ": ").append(why);
    document->Complain(at, text);
  }

  void ComplainOfType(const toml::node& value, std::string_view key,
                      std::string_view wanted) const {
    std::string why = "must be ";
    why.append(wanted).append(", is ").append(TypeName(value));
    Complain(LineOf(value), key, why);
  }

  // The string at `key`; nothing where it is absent, or of another type (then an error is noted).
  std::optional<std::string> AskString(std::string_view key, std::string_view wanted) {
    const toml::node* value = Ask(key, [](const std::string& text) {
      return std::make_unique<toml::value<std::string>>(text);
    });
    if (value == nullptr) return std::nullopt;
    if (const auto* text = value->as_string()) return text->get();
    ComplainOfType(*value, key, wanted);
    return std::nullopt;
  }

  std::shared_ptr<Node> MakeBelow(std::string_view key, const toml::table* found) {
    return std::make_shared<Node>(Node{document, found, found ? LineOf(*found) : line, Dotted(key),
                                       Under(indexed, key), of_variables && found == nullptr});
  }

  std::shared_ptr<Node> MakeEntry(std::string_view key, size_t index, const toml::table* found) {
    std::shared_ptr<Node> entry = MakeBelow(key, found);
    absl::StrAppend(&entry->indexed, ".", index);
    entry->of_variables = found == nullptr;
    return entry;
  }

  // The known key that was probably meant by `key`; empty if none is near.
  std::string_view Nearest(std::string_view key) const {
    std::string_view nearest;
    size_t least = std::max<size_t>(1, key.size() / 3) + 1;
    for (const std::string& known : asked) {
      if (InText(known) != nullptr) continue;  // in the text beside it, so not what was meant
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

}  // namespace sasld
