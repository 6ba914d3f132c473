#include "storage/record_parts.h"

namespace sasld {

void AddFlag(FieldWriter& writer, uint8_t tag, bool set) {
  if (set) writer.Add(tag, {});
}

void AddAccess(FieldWriter& writer, const Access& access) {
  for (const std::string& service : access.services) writer.Add(kService, service);
  for (const std::string& network : access.networks) writer.Add(kNetwork, network);
  for (const std::string& mechanism : access.mechanisms) writer.Add(kMechanism, mechanism);
}

void AddAttributes(FieldWriter& writer, const std::map<std::string, std::string>& attributes) {
  for (const auto& [name, value] : attributes) {
    writer.Add(kAttributeName, name);
    writer.Add(kAttributeValue, value);
  }
}

Taken TakeAccess(const Field& field, Access& access) {
  switch (field.tag) {
    case kService:
      access.services.emplace_back(field.value);
      return Taken::kYes;
    case kNetwork:
      access.networks.emplace_back(field.value);
      return Taken::kYes;
    case kMechanism:
      access.mechanisms.emplace_back(field.value);
      return Taken::kYes;
    default:
      return Taken::kNotMine;
  }
}

Taken TakeAttribute(const Field& field, std::string& name,
                    std::map<std::string, std::string>& attributes) {
  switch (field.tag) {
    case kAttributeName:
      name = field.value;
      return Taken::kYes;
    case kAttributeValue:
      return TakenIf(attributes.emplace(name, field.value).second);
    default:
      return Taken::kNotMine;
  }
}

}  // namespace sasld
