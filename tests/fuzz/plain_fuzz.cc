// PLAIN: any message leads to a claim or a refusal, and only a matching password to success.
#include <algorithm>

#include "server/sasl/registry.h"
#include "tests/fuzz/support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sasld;  // NOLINT(google-build-using-namespace): one function
  using fuzz::Require;
  static const std::unique_ptr<const Mechanism> plain = MakePlain();
  const std::string_view message = fuzz::Text(data, size);
  const ConnectionFacts facts = fuzz::ExampleFacts();

  Outcome first = plain->Begin(facts, message);
  Outcome later = plain->Continue(facts, "", message);
  Require(first.index() == later.index(), "an initial response is a response");
  if (auto* claim = std::get_if<CheckPassword>(&first)) {
    Require(std::count(message.begin(), message.end(), '\0') == 2, "two NULs, no more");
    Require(!claim->question.password.empty(), "an empty password is never checked");
    const std::string authcid = claim->question.authcid.str();
    Require(!authcid.empty() && authcid.size() <= Username::kMaxBytes, "a name has its limits");
    Outcome refused = fuzz::Settle(std::move(first), PasswordVerdict::kNoMatch, ScramKeys{});
    Require(std::holds_alternative<Failure>(refused), "a wrong password never yields success");
    Outcome accepted = fuzz::Settle(std::move(later), PasswordVerdict::kMatch, ScramKeys{});
    const auto* success = std::get_if<Success>(&accepted);
    Require(success != nullptr, "the right password yields success");
    Require(success->identity.authcid.str() == authcid, "who is let in is whose password it was");
    const bool asked = message.front() != '\0';
    Require(success->identity.authzid.has_value() == asked, "an authzid is neither lost nor made");
  } else {
    Require(std::holds_alternative<Failure>(first), "PLAIN has one message");
  }
  return 0;
}
