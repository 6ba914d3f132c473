// SCRAM of every hash, with and without channel binding, from a hostile client: client-first and
// client-final are the input's lines. The keys are a decoy's, so nothing may succeed. A third line
// is a state, as if a key had leaked.
#include <string>

#include "server/sasl/base64.h"
#include "server/sasl/registry.h"
#include "server/sasl/scram_messages.h"
#include "tests/fuzz/support.h"

namespace {

using sasld::fuzz::Require;

sasld::ScramKeys DecoyKeys(sasld::Hash hash) {
  sasld::ScramKeys keys;
  keys.salt = std::string(sasld::kScramSaltBytes, 's');
  for (const char* name : {"one", "another"}) {
    keys.candidates.push_back({name,
                               {sasld::Secret(std::string(sasld::HashBytes(hash), '\x5a')),
                                sasld::Secret(std::string(sasld::HashBytes(hash), '\xa5'))}});
  }
  keys.epoch = 7;
  return keys;
}

void CheckParsers(std::string_view message) {
  const auto first = sasld::ParseClientFirst(message);
  if (const auto* parsed = std::get_if<sasld::ClientFirst>(&first)) {
    Require(std::string(parsed->gs2_header).append(parsed->bare) == message,
            "client-first is the GS2 header and the bare message, byte for byte");
    Require(!parsed->nonce.empty() && parsed->nonce.find(',') == std::string_view::npos,
            "a nonce has no comma");
  }
  const auto final_message = sasld::ParseClientFinal(message);
  if (const auto* parsed = std::get_if<sasld::ClientFinal>(&final_message)) {
    const std::string printed =
        std::string(parsed->without_proof) + ",p=" + sasld::EncodeBase64(parsed->proof);
    Require(printed == message, "client-final is what was authenticated and the proof");
  }
}

void Attack(const sasld::RegisteredMechanism& registered, std::string_view client_first,
            std::string_view client_final, std::string_view state) {
  const std::unique_ptr<const sasld::Mechanism> scram = registered.make();
  const sasld::ScramKeys decoy = DecoyKeys(registered.hash);
  const auto settle = [&decoy](sasld::Outcome outcome) {
    return sasld::fuzz::Settle(std::move(outcome), sasld::PasswordVerdict::kMatch, decoy);
  };
  sasld::ConnectionFacts facts = sasld::fuzz::ExampleFacts();
  facts.channel_bindings = {{"tls-exporter", std::string(32, 'x')}, {"tls-unique", "unique"}};

  const sasld::Outcome first = settle(scram->Begin(facts, client_first));
  Require(!std::holds_alternative<sasld::Success>(first), "client-first lets nobody in");
  if (const auto* challenge = std::get_if<sasld::Challenge>(&first)) {
    Require(challenge->data.find(facts.server_nonce) != std::string::npos,
            "server-first has the server's nonce");
    Require(challenge->channel_binding_type.empty() != registered.properties.channel_binding,
            "-PLUS, and nothing else, asks for channel binding");
    const sasld::Outcome last = settle(scram->Continue(facts, challenge->state, client_final));
    Require(std::holds_alternative<sasld::Failure>(last), "a decoy never succeeds");
  }
  const sasld::Outcome forged = settle(scram->Continue(facts, state, client_final));
  Require(!std::holds_alternative<sasld::Success>(forged), "a forged state never succeeds");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = sasld::fuzz::Text(data, size);
  const std::string_view client_first = sasld::fuzz::TakeLine(input);
  const std::string_view client_final = sasld::fuzz::TakeLine(input);
  CheckParsers(client_first);
  CheckParsers(client_final);
  for (const sasld::RegisteredMechanism& mechanism : sasld::AllMechanisms()) {
    if (mechanism.verifier == sasld::Verifier::kScram) {
      Attack(mechanism, client_first, client_final, input);
    }
  }
  return 0;
}
