// SCRAM (RFC 5802; SHA-256: RFC 7677; other hashes: drafts) with and without channel binding (RFC
// 5056), server side.
//
// Deviations: user names are lower-cased after SASLprep, so that a login finds its account however
// it is spelled; the AuthMessage has the bytes as they were sent. A failed proof is told by the
// application protocol alone, without a server-final "e=" (RFC 5802 section 7 permits both). An
// empty authzid ("a=") is taken as none: the grammar has no such thing, but GNU SASL's client sends
// it. A wrong password, an unknown user, a password changed between the two steps and channel
// binding data that differ all fail alike.
#include <algorithm>
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

// tls-exporter: RFC 9266; the others: RFC 5929.
constexpr std::string_view kBindingTypes[] = {"tls-exporter", "tls-server-end-point", "tls-unique"};

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

// RFC 5802 s.6, what the client says of channel binding against what it chose and was offered.
std::optional<Failure> CheckBindingFlag(const ClientFirst& first, ScramVariant variant,
                                        const ConnectionFacts& facts) {
  if (variant == ScramVariant::kPlus) {
    if (first.binding_flag != ChannelBindingFlag::kUsed) {
      return Failure{Reason::kMalformed, "SCRAM -PLUS without channel binding"};
    }
    // "If the channel binding type is not supported", the server MUST fail authentication.
    const bool known = std::find(std::begin(kBindingTypes), std::end(kBindingTypes),
                                 first.binding_type) != std::end(kBindingTypes);
    if (!known) return Failure{Reason::kMalformed, "SCRAM with an unknown type of channel binding"};
    return std::nullopt;
  }
  if (first.binding_flag == ChannelBindingFlag::kUsed) {
    return Failure{Reason::kMalformed, "SCRAM asks for channel binding without -PLUS"};
  }
  // "If the flag is set to "y" and the server supports channel binding, the server MUST fail
  // authentication": somebody took -PLUS out of our list on its way to the client.
  if (first.binding_flag == ChannelBindingFlag::kServerDoesNotOffer && facts.binding_offered) {
    return Failure{Reason::kBindingMismatch, "SCRAM client did not see that we offer -PLUS"};
  }
  return std::nullopt;
}

// RFC 5802 s.7: cbind-input = gs2-header [ cbind-data ]. Nothing if the caller has no such data.
std::optional<std::string> BindingInput(const ClientFirst& first, const ConnectionFacts& facts) {
  std::string input(first.gs2_header);
  if (first.binding_flag != ChannelBindingFlag::kUsed) return input;
  for (const ChannelBinding& binding : facts.channel_bindings) {
    if (binding.type == first.binding_type && !binding.data.empty()) return input + binding.data;
  }
  return std::nullopt;
}

class Scram final : public Mechanism {
 public:
  Scram(Hash hash, ScramVariant variant) : hash_(hash), variant_(variant) {}

  Outcome Begin(const ConnectionFacts& facts,
                std::optional<std::string_view> initial_response) const override {
    if (!initial_response) return Challenge{"", std::string(1, kAwaitsClientFirst)};
    return TakeClientFirst(facts, *initial_response);
  }

  Outcome Continue(const ConnectionFacts& facts, std::string_view state,
                   std::string_view response) const override {
    const char awaits = state.empty() ? '\0' : state.front();
    if (awaits == kAwaitsClientFirst) return TakeClientFirst(facts, response);
    if (awaits == kAwaitsClientFinal) return TakeClientFinal(facts, state.substr(1), response);
    return Failure{Reason::kStateInvalid, "SCRAM state unknown"};
  }

 private:
  Outcome TakeClientFirst(const ConnectionFacts& facts, std::string_view message) const;
  Outcome TakeClientFinal(const ConnectionFacts& facts, std::string_view state,
                          std::string_view message) const;

  const Hash hash_;
  const ScramVariant variant_;
};

Outcome Scram::TakeClientFirst(const ConnectionFacts& facts, std::string_view message) const {
  const auto parsed = ParseClientFirst(message);
  if (const auto* error = std::get_if<ScramSyntaxError>(&parsed)) {
    return Failure{Reason::kMalformed, error->detail};
  }
  const ClientFirst& first = std::get<ClientFirst>(parsed);
  if (auto failure = CheckBindingFlag(first, variant_, facts)) return *std::move(failure);
  auto claimed = ClaimedIdentity(first);
  if (auto* failure = std::get_if<Failure>(&claimed)) return std::move(*failure);

  ScramUser user{std::get<Identity>(claimed).authcid, hash_};
  return FetchScramKeys{
      std::move(user),
      [gs2_header = std::string(first.gs2_header), bare = std::string(first.bare),
       binding_type = std::string(first.binding_type),
       nonce = std::string(first.nonce) + facts.server_nonce](ScramKeys keys) -> Outcome {
        std::string server_first = PrintServerFirst(nonce, keys.salt, keys.iterations);
        std::string state = PrintState({gs2_header, bare, server_first, nonce, keys.epoch});
        return Challenge{std::move(server_first), std::move(state), binding_type};
      }};
}

Outcome Scram::TakeClientFinal(const ConnectionFacts& facts, std::string_view state,
                               std::string_view message) const {
  const std::optional<AwaitFinal> await = ParseState(state);
  if (!await) return Failure{Reason::kStateInvalid, "SCRAM state cut short"};
  // What we sealed was parsed and prepared before; it is again only because names are not worth a
  // second form in the state.
  const std::string client_first = std::string(await->gs2_header).append(await->client_first_bare);
  const auto first = ParseClientFirst(client_first);
  if (!std::holds_alternative<ClientFirst>(first)) {
    return Failure{Reason::kStateInvalid, "SCRAM state without client-first"};
  }
  // That it is a state of this variant is the seal's to know; a downgrade is worth a second look.
  if (auto failure = CheckBindingFlag(std::get<ClientFirst>(first), variant_, facts)) {
    return *std::move(failure);
  }
  const std::optional<std::string> binding_input =
      BindingInput(std::get<ClientFirst>(first), facts);
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
  // RFC 5802 s.5.1, "c": the server MUST check that it is the GS2 header of client-first and, with
  // channel binding, this connection's data.
  if (!binding_input) {
    return Failure{Reason::kBindingMismatch, "no channel binding data of this type",
                   identity.authcid};
  }
  if (!EqualsConstantTime(final_message.channel_binding, *binding_input)) {
    return Failure{Reason::kBindingMismatch, "SCRAM c=", identity.authcid};
  }

  ScramUser user{identity.authcid, hash_};
  return FetchScramKeys{
      std::move(user),
      [hash = hash_, identity = std::move(identity), epoch = await->epoch,
       proof = final_message.proof,
       auth_message =
           AuthMessage(*await, final_message.without_proof)](ScramKeys keys) mutable -> Outcome {
        const ScramCandidate* proved = FindProved(hash, keys.candidates, auth_message, proof);
        // Always computed, so that the answer takes the same time whatever is wrong.
        const ScramCandidate& signer = proved ? *proved : keys.candidates.front();
        const std::string signature = ServerSignature(hash, signer.pair, auth_message);
        if (proved) return Success{std::move(identity), PrintServerFinal(signature), proved->name};
        // A proof that fits is right whatever else of the account was changed meanwhile. One that
        // does not may have been right for keys that are not there any more.
        return Failure{keys.epoch == epoch ? Reason::kBadCredentials : Reason::kCredentialChanged,
                       "SCRAM", std::move(identity.authcid)};
      }};
}

}  // namespace

std::unique_ptr<const Mechanism> MakeScram(Hash hash, ScramVariant variant) {
  return std::make_unique<Scram>(hash, variant);
}

}  // namespace sasld
