// What saslctl export writes.
#include <google/protobuf/util/json_util.h>

#include <string>

#include "client/saslctl/import_sources.h"

namespace sasld::saslctl {
namespace {

// Protobuf's reasons quote the text, which holds secrets. Only one of them is told: a member that
// it does not know, whose name stands before this.
std::string Reason(const std::string& message) {
  constexpr std::string_view kUnknown = ": Cannot find field.";
  const size_t at = message.find(kUnknown);
  const size_t begin = message.rfind(':', at == std::string::npos ? at : at - 1);
  std::string name = at == std::string::npos ? "" : message.substr(0, at);
  if (begin != std::string::npos && begin < name.size()) name = name.substr(begin + 1);
  if (!name.empty() && name.size() <= 64 &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") ==
          std::string::npos) {
    return "no user record: there is no member \"" + name + "\"";
  }
  return "no user record: not JSON, or a value of a kind that does not belong there";
}

}  // namespace

std::optional<SourceEntry> ReadJsonLine(std::string_view line, const SourceOptions&) {
  if (line.find_first_not_of(" \t") == std::string_view::npos) return std::nullopt;
  v1::UserRecord record;
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(line.data(), line.size()), &record);
  if (!status.ok()) {
    return SourceEntry{.name = record.name(),
                       .content = Mistake{Reason(std::string(status.message()))}};
  }
  const std::string name = record.name();
  if (name.empty()) return SourceEntry{.content = Mistake{"there is no member \"name\""}};
  return SourceEntry{.name = name, .content = std::move(record)};
}

}  // namespace sasld::saslctl
