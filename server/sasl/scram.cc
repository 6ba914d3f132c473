// SCRAM-SHA-256 (RFC 5802, RFC 7677), server side, without channel binding.
//
// Deviations: user names are lower-cased after SASLprep, so that a login finds its account however
// it is spelled; the AuthMessage has the bytes as they were sent. A failed proof is told by the
// application protocol alone, without a server-final "e=" (RFC 5802 section 7 permits both). An
// empty authzid ("a=") is taken as none: the grammar has no such thing, but GNU SASL's client sends
// it. A wrong password, an unknown user and a password changed between the two steps all fail
// alike.
#include <utility>

#include "server/sasl/fields.h"
#include "server/sasl/registry.h"
#include "server/sasl/scram_messages.h"

namespace sasld {
namespace {

// What must survive until client-final.
struct AwaitFinal {
  std::string_view gs2_header;
  std::string_view client_first_bare;
  std::string_view server_first;
  std::string_view nonce;  // c-nonce s-nonce
  uint64_t epoch = 0;
};

// First byte of the state: which message is awaited.
constexpr char kAwaitsClientFirst = '1';
constexpr char kAwaitsClientFinal = '2';

std::string PrintState(const AwaitFinal& await) {
  std::string state(1, kAwaitsClientFinal);
  AppendNumber(state, await.epoch);
  for (const std::string_view field :
       {await.gs2_header, await.client_first_bare, await.server_first, await.nonce}) {
    AppendField(state, field);
  }
  return state;
}

std::optional<AwaitFinal> ParseState(std::string_view state) {
  AwaitFinal await;
  const std::optional<uint64_t> epoch = TakeNumber(state);
  if (!epoch) return std::nullopt;
  await.epoch = *epoch;
  for (std::string_view* field :
       {&await.gs2_header, &await.client_first_bare, &await.server_first, &await.nonce}) {
    const std::optional<std::string_view> taken = TakeField(state);
    if (!taken) return std::nullopt;
    *field = *taken;
  }
  if (!state.empty()) return std::nullopt;
  return await;
}

// The identity that a client-first-message claims.
std::variant<Identity, Failure> ClaimedIdentity(const ClientFirst& first) {
  absl::StatusOr<Username> authcid = Username::Prepare(first.username);
  if (!authcid.ok()) return Failure{Reason::kMalformed, "SCRAM user name not acceptable"};
  Identity identity{*std::move(authcid), std::nullopt};
  if (!first.authzid.empty()) {
    absl::StatusOr<Username> authzid = Username::Prepare(first.authzid);
    if (!authzid.ok()) {
      return Failure{Reason::kMalformed, "SCRAM authzid not acceptable", identity.authcid};
    }
    identity.authzid = *std::move(authzid);
  }
  return identity;
}

// RFC 5802 s.3: AuthMessage := client-first-message-bare "," server-first-message ","
// client-final-without-proof
std::string AuthMessage(const AwaitFinal& await, std::string_view without_proof) {
  std::string message;
  message.reserve(await.client_first_bare.size() + await.server_first.size() +
                  without_proof.size() + 2);
  message.append(await.client_first_bare).append(",");
  message.append(await.server_first).append(",");
  return message.append(without_proof);
}

class Scram final : public Mechanism {
 public:
  explicit Scram(ScramHash hash) : hash_(hash) {}

  Outcome Begin(const ConnectionFacts& facts,
                std::optional<std::string_view> initial_response) const override {
    if (!initial_response) return Challenge{"", std::string(1, kAwaitsClientFirst)};
    return TakeClientFirst(facts, *initial_response);
  }

  Outcome Continue(const ConnectionFacts& facts, std::string_view state,
                   std::string_view response) const override {
    const char awaits = state.empty() ? '\0' : state.front();
    if (awaits == kAwaitsClientFirst) return TakeClientFirst(facts, response);
    if (awaits == kAwaitsClientFinal) return TakeClientFinal(state.substr(1), response);
    return Failure{Reason::kStateInvalid, "SCRAM state unknown"};
  }

 private:
  Outcome TakeClientFirst(const ConnectionFacts& facts, std::string_view message) const;
  Outcome TakeClientFinal(std::string_view state, std::string_view message) const;

  const ScramHash hash_;
};

Outcome Scram::TakeClientFirst(const ConnectionFacts& facts, std::string_view message) const {
  const auto parsed = ParseClientFirst(message);
  if (const auto* error = std::get_if<ScramSyntaxError>(&parsed)) {
    return Failure{Reason::kMalformed, error->detail};
  }
  const ClientFirst& first = std::get<ClientFirst>(parsed);
  // RFC 5802 s.6: "p=" is for the -PLUS variant. "y" is right here: we offer none.
  if (first.binding_flag == ChannelBindingFlag::kUsed) {
    return Failure{Reason::kMalformed, "SCRAM asks for channel binding without -PLUS"};
  }
  auto claimed = ClaimedIdentity(first);
  if (auto* failure = std::get_if<Failure>(&claimed)) return std::move(*failure);

  ScramUser user{std::get<Identity>(claimed).authcid, hash_};
  return FetchScramKeys{
      std::move(user),
      [gs2_header = std::string(first.gs2_header), bare = std::string(first.bare),
       nonce = std::string(first.nonce) + facts.server_nonce](ScramKeys keys) -> Outcome {
        std::string server_first = PrintServerFirst(nonce, keys.salt, keys.iterations);
        std::string state = PrintState({gs2_header, bare, server_first, nonce, keys.epoch});
        return Challenge{std::move(server_first), std::move(state)};
      }};
}

Outcome Scram::TakeClientFinal(std::string_view state, std::string_view message) const {
  const std::optional<AwaitFinal> await = ParseState(state);
  if (!await) return Failure{Reason::kStateInvalid, "SCRAM state cut short"};
  // What we sealed was parsed and prepared before; it is again only because names are not worth a
  // second form in the state.
  const std::string client_first = std::string(await->gs2_header).append(await->client_first_bare);
  const auto first = ParseClientFirst(client_first);
  if (!std::holds_alternative<ClientFirst>(first)) {
    return Failure{Reason::kStateInvalid, "SCRAM state without client-first"};
  }
  auto claimed = ClaimedIdentity(std::get<ClientFirst>(first));
  if (auto* failure = std::get_if<Failure>(&claimed)) return std::move(*failure);
  Identity& identity = std::get<Identity>(claimed);

  const auto parsed = ParseClientFinal(message);
  if (const auto* error = std::get_if<ScramSyntaxError>(&parsed)) {
    return Failure{Reason::kMalformed, error->detail, identity.authcid};
  }
  const ClientFinal& final_message = std::get<ClientFinal>(parsed);
  // RFC 5802 s.5.1: the server MUST verify that the nonce is the one it sent.
  if (final_message.nonce != await->nonce) {
    return Failure{Reason::kNonceMismatch, "SCRAM nonce", identity.authcid};
  }
  // RFC 5802 s.5.1, "c": the server MUST check that it is the GS2 header of client-first.
  if (final_message.channel_binding != await->gs2_header) {
    return Failure{Reason::kBindingMismatch, "SCRAM c=", identity.authcid};
  }

  ScramUser user{identity.authcid, hash_};
  return FetchScramKeys{
      std::move(user),
      [hash = hash_, identity = std::move(identity), epoch = await->epoch,
       proof = final_message.proof,
       auth_message =
           AuthMessage(*await, final_message.without_proof)](ScramKeys keys) mutable -> Outcome {
        // Always computed, so that the answer takes the same time whatever is wrong.
        const bool matches = ProofMatches(hash, keys, auth_message, proof);
        std::string signature = ServerSignature(hash, keys, auth_message);
        if (keys.epoch != epoch) {
          return Failure{Reason::kCredentialChanged, "SCRAM", std::move(identity.authcid)};
        }
        if (!matches) return Failure{Reason::kBadCredentials, "SCRAM", std::move(identity.authcid)};
        return Success{std::move(identity), PrintServerFinal(signature)};
      }};
}

}  // namespace

std::unique_ptr<const Mechanism> MakeScramSha256() {
  return std::make_unique<Scram>(ScramHash::kSha256);
}

}  // namespace sasld
