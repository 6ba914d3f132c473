// Parts that the records of accounts and of domains have in common.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "storage/record_fields.h"
#include "storage/store.h"

namespace sasld {

// The values are part of what is stored: never change one, nor use it in a record for else.
enum PartTag : uint8_t {
  kDisabled = 1,
  kRequireAppPassword = 16,
  kSendOnly = 17,
  kService = 20,
  kNetwork = 21,
  kMechanism = 22,
  kAttributeName = 25,   // and the next field is
  kAttributeValue = 26,  // its value
};

void AddFlag(FieldWriter& writer, uint8_t tag, bool set);
void AddAccess(FieldWriter& writer, const Access& access);
void AddAttributes(FieldWriter& writer, const std::map<std::string, std::string>& attributes);

// What reads a record takes the fields that are its own. kNonsense: its value makes no sense.
// kNotMine: the field is somebody else's.
enum class Taken { kYes, kNotMine, kNonsense };

inline Taken TakenIf(bool makes_sense) { return makes_sense ? Taken::kYes : Taken::kNonsense; }

Taken TakeAccess(const Field& field, Access& access);
// `name` is kept from call to call, empty at first: the attribute whose value comes next.
Taken TakeAttribute(const Field& field, std::string& name,
                    std::map<std::string, std::string>& attributes);

}  // namespace sasld
