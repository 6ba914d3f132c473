// Fields separated by TABs, and the escaping inside them, as Dovecot's protocols have them.
//
// The escape byte is 0x01: NUL is 01 '0', 0x01 is 01 '1', TAB is 01 't', CR is 01 'r', LF is 01
// 'n'.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sasld {

// Walks over the fields of a line without copying. Borrows the line.
class TabFields {
 public:
  explicit TabFields(std::string_view line) : rest_(line) {}
  // The next field, still escaped; nullopt after the last. An empty line is one empty field.
  std::optional<std::string_view> Next();
  // All that follows the fields taken so far, separators included; nullopt after the last.
  std::optional<std::string_view> Rest() const { return rest_; }

 private:
  std::optional<std::string_view> rest_;
};

// 01 and any other byte than those above yields that byte; a 01 at the end is dropped.
std::string TabUnescaped(std::string_view field);
void AppendTabEscaped(std::string_view value, std::string& out);

}  // namespace sasld
