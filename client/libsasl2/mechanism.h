// What a server mechanism of libsasl2 promises, as the words of Dovecot's MECH line.
#pragma once

#include <optional>
#include <string_view>

namespace sasld::libsasl2 {

struct Mechanism {
  std::string_view name;
  bool is_private = false;  // not for mail clients
  bool anonymous = false;
  bool plaintext = false;
  bool dictionary = false;
  bool active = false;
  bool forward_secrecy = false;
  bool mutual_auth = false;
  bool channel_binding = false;
};

// "MECH\tSCRAM-SHA-256\tmutual-auth" without its LF. Nothing: another line, or no mechanism's name
// (RFC 4422 section 3.1). Unknown words are skipped: a newer server may have more.
std::optional<Mechanism> ParseMechanismLine(std::string_view line);

// The same for a name alone, when no server is there to ask. Of a mechanism that is not known here
// nothing good is promised.
std::optional<Mechanism> MechanismOfName(std::string_view name);

// Whether the plug-in stands for it. EXTERNAL stays libsasl2's own, which knows what it is that
// the application verified; -PLUS is libsasl2's name for a SCRAM with channel binding data.
bool IsRelayed(const Mechanism& mechanism);

bool IsScram(std::string_view name);
// The client speaks first, so that it may be asked to without asking the server.
bool ClientSpeaksFirst(std::string_view name);
// An authorization identity can be given.
bool TakesAuthzid(std::string_view name);

}  // namespace sasld::libsasl2
