// LOGIN: a name and a password, each a line of the input; a third line makes the name an initial
// response.
#include "server/sasl/registry.h"
#include "tests/fuzz/support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sasld;  // NOLINT(google-build-using-namespace): one function
  using fuzz::Require;
  static const std::unique_ptr<const Mechanism> login = MakeLogin();
  std::string_view input = fuzz::Text(data, size);
  const std::string_view name = fuzz::TakeLine(input);
  const std::string_view password = fuzz::TakeLine(input);
  const ConnectionFacts facts = fuzz::ExampleFacts();

  Outcome outcome = input.empty() ? login->Begin(facts, std::nullopt) : login->Begin(facts, name);
  if (input.empty() || name.empty()) {
    Require(std::holds_alternative<Challenge>(outcome), "LOGIN asks for the name");
    const std::string state = std::get<Challenge>(outcome).state;
    outcome = login->Continue(facts, state, name);
  }
  const auto* asks = std::get_if<Challenge>(&outcome);
  if (asks == nullptr) {
    Require(std::holds_alternative<Failure>(outcome), "a name alone lets nobody in");
    return 0;
  }
  const std::string state = asks->state;
  Require(!state.empty(), "a name that was taken is kept");
  for (const PasswordVerdict verdict : {PasswordVerdict::kNoMatch, PasswordVerdict::kMatch}) {
    outcome = fuzz::Settle(login->Continue(facts, state, password), verdict, ScramKeys{});
    const auto* success = std::get_if<Success>(&outcome);
    if (success == nullptr) {
      Require(std::holds_alternative<Failure>(outcome), "LOGIN ends after the password");
      continue;
    }
    Require(verdict == PasswordVerdict::kMatch, "a wrong password never yields success");
    Require(!password.empty(), "an empty password is never right");
    Require(success->identity.authcid.str() == state, "who is let in is whose password it was");
    Require(!success->identity.authzid.has_value(), "LOGIN has no authzid");
  }
  return 0;
}
