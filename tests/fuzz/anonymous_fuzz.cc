// ANONYMOUS: any message is a trace or is refused; nobody becomes somebody.
#include "tests/fuzz/support.h"
#include "tests/server/sasl/matching.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sasld;  // NOLINT(google-build-using-namespace): one function
  using fuzz::Require;
  static const std::unique_ptr<const Mechanism> anonymous = MakeAnonymous();
  const std::string message(fuzz::Text(data, size));
  const ConnectionFacts facts = FactsOfAnExchange();

  const Outcome outcome = anonymous->Begin(facts, message);
  const Outcome later = anonymous->Continue(facts, "", message);
  Require(outcome.index() == later.index(), "an initial response is a response");
  if (std::holds_alternative<Failure>(outcome)) return 0;
  const auto* success = std::get_if<AnonymousSuccess>(&outcome);
  Require(success != nullptr, "nobody becomes somebody");
  Conversation said;
  said.responses = {message};
  const auto why = WhyWronglyLetIn(*FindMechanism("ANONYMOUS"), outcome, said, said, {});
  Require(!why, why ? why->c_str() : "");
  for (const char c : success->trace) {
    Require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "a trace has no control character");
  }
  return 0;
}
