// A mechanism and its security properties as words: "SCRAM-SHA-256 mutual-auth".
//
// The words are those of Dovecot's MECH line; configuration and state file use them too. The
// adapter knows no mechanism: what it offers is what sasld, its own file or its configuration say.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "sasld/v1/sasl.pb.h"

namespace sasld {

// RFC 4422 section 3.1: 1 to 20 of A-Z, 0-9, '-', '_'. Lower case is let through: Postfix passes on
// what its client typed.
bool IsMechanismName(std::string_view name);

// Appends the name and its words, each after a `separator`.
void AppendMechanism(const v1::MechanismInfo& mechanism, char separator, std::string& out);

// InvalidArgument: not a mechanism's name, or an unknown word; the text names it.
absl::StatusOr<v1::MechanismInfo> ParseMechanism(std::string_view text);

// Whether a mail server may offer it to any client.
bool IsOffered(const v1::MechanismInfo& mechanism);
bool OffersAny(const v1::ListMechanismsReply& mechanisms);

}  // namespace sasld
