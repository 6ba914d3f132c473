// LOGIN (draft-murchison-sasl-login-00): two prompts, two answers. Never standardised, still what
// Outlook and printers use.
//
// Deviations: the draft's prompts "User Name" and "Password" are sent as "Username:" and
// "Password:", as every server does and nodemailer demands. An initial response is taken as the
// user name, as smtplib sends it; an empty one is like none. There is no authzid.
// A password that is not UTF-8 is read as Windows-1252.
#include <utility>

#include "server/sasl/registry.h"
#include "server/sasl/saslprep.h"

namespace sasld {
namespace {

constexpr std::string_view kUsernamePrompt = "Username:";
constexpr std::string_view kPasswordPrompt = "Password:";

// The state is empty while the name is awaited, then the prepared name.
Outcome TakeUsername(std::string_view name) {
  absl::StatusOr<Username> prepared = Username::Prepare(name);
  if (!prepared.ok()) return Failure{Reason::kMalformed, "LOGIN user name not acceptable"};
  return Challenge{std::string(kPasswordPrompt), prepared->str()};
}

Outcome TakePassword(Username authcid, std::string_view passwd) {
  absl::StatusOr<Secret> password = PrepareClientPassword(passwd);
  if (!password.ok()) {
    return Failure{Reason::kMalformed, "LOGIN password not acceptable", std::move(authcid)};
  }
  PasswordClaim claim{authcid, *std::move(password)};
  return CheckPassword{std::move(claim),
                       [authcid = std::move(authcid)](PasswordVerdict verdict) mutable -> Outcome {
                         if (verdict == PasswordVerdict::kMatch) {
                           return Success{Identity{std::move(authcid), std::nullopt}, std::nullopt};
                         }
                         return Failure{Reason::kBadCredentials, "LOGIN", std::move(authcid)};
                       }};
}

class Login final : public Mechanism {
 public:
  Outcome Begin(const ConnectionFacts&,
                std::optional<std::string_view> initial_response) const override {
    if (initial_response && !initial_response->empty()) return TakeUsername(*initial_response);
    return Challenge{std::string(kUsernamePrompt), ""};
  }

  Outcome Continue(const ConnectionFacts&, std::string_view state,
                   std::string_view response) const override {
    if (state.empty()) return TakeUsername(response);
    return TakePassword(Username::FromPrepared(std::string(state)), response);
  }
};

}  // namespace

std::unique_ptr<const Mechanism> MakeLogin() { return std::make_unique<Login>(); }

}  // namespace sasld
