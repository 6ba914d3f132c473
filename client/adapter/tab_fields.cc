#include "client/adapter/tab_fields.h"

#include <algorithm>

namespace sasld {
namespace {

constexpr char kEscape = '\x01';

// What stands for `c` after the escape byte; NUL if `c` may stand for itself.
char EscapeOf(char c) {
  switch (c) {
    case '\0':
      return '0';
    case kEscape:
      return '1';
    case '\t':
      return 't';
    case '\r':
      return 'r';
    case '\n':
      return 'n';
    default:
      return '\0';
  }
}

}  // namespace

std::optional<std::string_view> TabFields::Next() {
  if (!rest_) return std::nullopt;
  std::string_view field = rest_->substr(0, rest_->find('\t'));
  if (field.size() == rest_->size()) {
    rest_.reset();
  } else {
    rest_->remove_prefix(field.size() + 1);
  }
  return field;
}

std::string TabUnescaped(std::string_view field) {
  std::string value;
  value.reserve(field.size());
  for (size_t i = 0; i < field.size(); ++i) {
    if (field[i] != kEscape) {
      value += field[i];
      continue;
    }
    if (++i == field.size()) break;
    switch (field[i]) {
      case '0':
        value += '\0';
        break;
      case '1':
        value += kEscape;
        break;
      case 't':
        value += '\t';
        break;
      case 'r':
        value += '\r';
        break;
      case 'n':
        value += '\n';
        break;
      default:
        value += field[i];
    }
  }
  return value;
}

void AppendTabEscaped(std::string_view value, std::string& out) {
  while (true) {
    const char* end = std::find_if(value.begin(), value.end(), EscapeOf);
    out.append(value.begin(), end);
    if (end == value.end()) return;
    out += kEscape;
    out += EscapeOf(*end);
    value.remove_prefix(static_cast<size_t>(end - value.begin()) + 1);
  }
}

}  // namespace sasld
