// Tagged fields of a record: see account_record.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/sasl/secret.h"

namespace sasld {

// Puts fields one behind the other. What it outgrows is wiped.
class FieldWriter {
 public:
  void Add(uint8_t tag, std::string_view value);
  // In eight bytes, most significant first.
  void AddNumber(uint8_t tag, int64_t value);
  // Ends the writing.
  Secret Take();

 private:
  void Append(std::string_view bytes);
  Secret buffer_ = Secret::Zeros(512);
  size_t used_ = 0;
};

struct Field {
  uint8_t tag;
  std::string_view value;
};

// Takes fields off the front of `bytes`, which must outlive what it yields.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}
  // Nothing at the end, and at what is no field: then ok() is false.
  std::optional<Field> Next();
  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// A value of AddNumber; nothing for one of another size.
std::optional<int64_t> NumberOf(std::string_view value);

}  // namespace sasld
