// CRAM-MD5 from a hostile client: a line of the input is the response, the rest the state, as if
// the sealing key had leaked. The line is a name as well, with the right digest behind it.
#include <string>

#include "tests/fuzz/support.h"
#include "tests/server/sasl/one_account.h"
#include "tests/server/sasl/openssl_calls.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sasld;  // NOLINT(google-build-using-namespace): one function
  using fuzz::Require;
  static const std::unique_ptr<const Mechanism> cram = MakeCramMd5();
  static const auto* account = new OneAccount;
  std::string_view input = fuzz::Text(data, size);
  const std::string_view line = fuzz::TakeLine(input);
  const ConnectionFacts facts = FactsOfAnExchange();

  const Outcome initial = cram->Begin(facts, line);
  Require(line.empty() == std::holds_alternative<Challenge>(initial), "no initial response");
  const Outcome first = cram->Begin(facts, std::nullopt);
  const auto& challenge = std::get<Challenge>(first);
  Require(challenge.data == "<" + facts.server_nonce + "@" + facts.realm + ">", "a msg-id");

  for (const std::string& state : {challenge.state, std::string(input)}) {
    const Outcome refused = account->Settle(cram->Continue(facts, state, line));
    Require(std::holds_alternative<Failure>(refused), "nobody guesses a digest");
  }

  const std::string digest = openssl::Hex(openssl::Hmac("MD5", "pencil", challenge.data));
  const Outcome outcome = account->Settle(
      cram->Continue(facts, challenge.state, std::string(line).append(" ").append(digest)));
  const auto name = Username::Prepare(line);
  const bool is_user = name.ok() && name->str() == "user";
  Require(is_user == std::holds_alternative<Success>(outcome), "the digest is right for its user");
  return 0;
}
