// EXTERNAL: any message asks to act as somebody or is refused; a certificate decides who comes in.
#include "tests/fuzz/support.h"
#include "tests/server/sasl/matching.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sasld;  // NOLINT(google-build-using-namespace): one function
  using fuzz::Require;
  static const std::unique_ptr<const Mechanism> external = MakeExternal();
  static const auto* account = new OneAccount;
  const std::string message(fuzz::Text(data, size));
  ConnectionFacts facts = FactsOfAnExchange();

  ServerSide server(*external, *account, facts);
  const Outcome outcome = server.Step(message);
  const Outcome later = account->Settle(external->Continue(facts, "", message));
  Require(outcome.index() == later.index(), "an initial response is a response");
  Require(!std::holds_alternative<Challenge>(outcome), "EXTERNAL has one message");
  const bool acceptable = message.empty() || Username::Prepare(message).ok();
  Require(std::holds_alternative<Success>(outcome) == acceptable, "an authzid or nothing");
  if (acceptable) {
    Conversation said;
    said.responses = {message};
    const auto why = WhyWronglyLetIn(*FindMechanism("EXTERNAL"), outcome, said, said, {});
    Require(!why, why ? why->c_str() : "");
  }

  facts.certificate->username = "mallory";
  const Outcome stranger = account->Settle(external->Begin(facts, message));
  Require(std::holds_alternative<Failure>(stranger), "a stranger's certificate lets nobody in");
  facts.certificate.reset();
  const Outcome nobody = account->Settle(external->Begin(facts, message));
  Require(std::holds_alternative<Failure>(nobody), "without a certificate nobody is let in");
  return 0;
}
