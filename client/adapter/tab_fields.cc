#include "client/adapter/tab_fields.h"

namespace sasld {
namespace {

constexpr char kEscape = '\x01';

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
  for (char c : value) {
    switch (c) {
      case '\0':
        out +=
            "\x01"
            "0";
        break;
      case kEscape:
        out +=
            "\x01"
            "1";
        break;
      case '\t':
        out += "\x01t";
        break;
      case '\r':
        out += "\x01r";
        break;
      case '\n':
        out += "\x01n";
        break;
      default:
        out += c;
    }
  }
}

}  // namespace sasld
