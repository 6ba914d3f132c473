#include "storage/domain_record.h"

#include <utility>

#include "storage/record_parts.h"

namespace sasld {
namespace {

Taken TakeFlag(const Field& field, Domain& domain) {
  switch (field.tag) {
    case kDisabled:
      domain.enabled = false;
      return Taken::kYes;
    case kRequireAppPassword:
      domain.require_app_password = true;
      return Taken::kYes;
    case kSendOnly:
      domain.send_only = true;
      return Taken::kYes;
    default:
      return Taken::kNotMine;
  }
}

}  // namespace

absl::Status CheckDomain(const Domain& domain) {
  return domain.name.empty() ? absl::InternalError("a domain without a name") : absl::OkStatus();
}

absl::Status CheckOverwrites(const Domain& domain, std::optional<Epoch> stored) {
  if (domain.epoch == 0) {
    return stored ? absl::AlreadyExistsError("there is such a domain") : absl::OkStatus();
  }
  if (!stored) return absl::NotFoundError("no such domain");
  return *stored == domain.epoch ? absl::OkStatus()
                                 : absl::AbortedError("the domain was changed meanwhile");
}

Secret PrintDomainRecord(const Domain& domain) {
  FieldWriter writer;
  AddFlag(writer, kDisabled, !domain.enabled);
  AddFlag(writer, kRequireAppPassword, domain.require_app_password);
  AddFlag(writer, kSendOnly, domain.send_only);
  AddAccess(writer, domain.access);
  AddAttributes(writer, domain.attributes);
  return writer.Take();
}

absl::StatusOr<Domain> ParseDomainRecord(std::string name, Epoch epoch, std::string_view record) {
  Domain domain{std::move(name), epoch};
  std::string attribute;
  FieldReader reader(record);
  bool makes_sense = true;
  while (const std::optional<Field> field = reader.Next()) {
    Taken taken = TakeFlag(*field, domain);
    if (taken == Taken::kNotMine) taken = TakeAccess(*field, domain.access);
    if (taken == Taken::kNotMine) taken = TakeAttribute(*field, attribute, domain.attributes);
    makes_sense = makes_sense && taken == Taken::kYes;
  }
  if (!makes_sense || !reader.ok()) return absl::DataLossError("a damaged domain");
  return domain;
}

}  // namespace sasld
