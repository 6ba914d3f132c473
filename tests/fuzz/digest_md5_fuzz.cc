// DIGEST-MD5 from a hostile client: a line of the input is the response, the rest the state, as if
// the sealing key had leaked. The parser is held against the tests' own.
#include <array>
#include <string>

#include "server/sasl/digest_md5_messages.h"
#include "tests/fuzz/support.h"
#include "tests/server/sasl/one_account.h"
#include "tests/server/sasl/sasl_client.h"

namespace {

using sasld::fuzz::Require;

void CheckParser(std::string_view message) {
  const auto parsed = sasld::ParseDigestResponse(message);
  const auto* response = std::get_if<sasld::DigestResponse>(&parsed);
  if (response == nullptr) return;
  Require(message.size() < 4096, "less than 4096 bytes");
  auto directives = sasld::DirectivesOf(message);
  Require(directives.has_value(), "what is parsed is a list of directives");
  directives->try_emplace("qop", "auth");
  const std::array<std::pair<const char*, const std::string*>, 8> same = {{
      {"username", &response->username},
      {"realm", &response->realm},
      {"nonce", &response->nonce},
      {"cnonce", &response->cnonce},
      {"nc", &response->nc},
      {"qop", &response->qop},
      {"digest-uri", &response->digest_uri},
      {"response", &response->response},
  }};
  for (const auto& [name, value] : same) Require((*directives)[name] == *value, name);
  Require(directives->contains("charset") == response->is_utf8, "charset");
  Require(directives->contains("authzid") == response->authzid.has_value(), "authzid");
  Require((*directives)["authzid"] == response->authzid.value_or(""), "authzid's value");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sasld;  // NOLINT(google-build-using-namespace): one function
  static const std::unique_ptr<const Mechanism> digest = MakeDigestMd5();
  static const auto* account = new OneAccount;
  std::string_view input = fuzz::Text(data, size);
  const std::string_view line = fuzz::TakeLine(input);
  const ConnectionFacts facts = FactsOfAnExchange();
  CheckParser(line);
  CheckParser(input);

  const Outcome initial = digest->Begin(facts, line);
  Require(line.empty() == std::holds_alternative<Challenge>(initial), "no initial response");
  const Outcome first = digest->Begin(facts, std::nullopt);
  for (const std::string& state : {std::get<Challenge>(first).state, std::string(input)}) {
    const Outcome outcome = account->Settle(digest->Continue(facts, state, line));
    Require(std::holds_alternative<Failure>(outcome), "nobody guesses a response");
  }
  return 0;
}
