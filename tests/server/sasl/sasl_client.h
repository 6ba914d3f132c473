// The client side of each mechanism, as small as can be: written from the RFCs on OpenSSL's
// one-shot calls, so that it shares no arithmetic and no parser with the server that it is played
// against.
//
// Honest unless its settings say otherwise; then it signs what is wrong as well as it can, so that
// the check that is meant refuses it and not another.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sasld {

struct ClientSettings {
  std::string authcid = "user";
  std::string password = "pencil";
  std::string authzid = {};  // empty: none
  std::string cnonce = "fyko+d2lbbFgONRv9qkxdawL";
  std::string service = "smtp";
  // SCRAM: what stands before the first comma; empty: as the mechanism's name wants it.
  std::string binding_flag = {};
  std::string binding_data = {};
  std::optional<std::string> cbind_input = std::nullopt;  // behind "c=", instead of the truth
  std::string nonce_suffix = {};                          // to the nonce of client-final
  std::string first_extensions = {};                      // ",x=1"
  std::string final_extensions = {};
  // DIGEST-MD5: directives that are sent, and signed, instead of the honest ones; an empty value
  // leaves one out.
  std::map<std::string, std::string> directives = {};
};

// One exchange's worth of a client.
class SaslClient {
 public:
  virtual ~SaslClient() = default;
  // What it says first; nothing where the server speaks first.
  virtual std::optional<std::string> InitialResponse() { return std::nullopt; }
  // Nothing: no challenge of this mechanism; it gives up.
  virtual std::optional<std::string> Answer(const std::string& challenge) = 0;
  // Whether the server proved that it knows the password. True where servers prove nothing.
  virtual bool Believes(const std::optional<std::string>& /*data*/) const { return true; }
};

// Null for a mechanism that has no client here yet.
std::unique_ptr<SaslClient> MakeClient(std::string_view mechanism, const ClientSettings& settings);

// The directives of a DIGEST-MD5 message (RFC 2831 section 2.1, RFC 2616 section 2.1), names in
// lower case, values unquoted. Nothing if it is no list of them, or has one twice.
std::optional<std::map<std::string, std::string>> DirectivesOf(std::string_view message);

}  // namespace sasld
