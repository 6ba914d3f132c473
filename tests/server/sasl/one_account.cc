#include "tests/server/sasl/one_account.h"

#include <algorithm>

#include "server/sasl/password_equivalents.h"

namespace sasld {
namespace {

constexpr std::string_view kName = "user";
constexpr std::string_view kPassword = "pencil";
constexpr std::string_view kRealm = "example.org";
constexpr std::string_view kSalt = "0123456789abcdef";

size_t IndexOf(Hash hash) {
  return static_cast<size_t>(std::find(kAllHashes.begin(), kAllHashes.end(), hash) -
                             kAllHashes.begin());
}

// What no password leads to.
Secret Decoy(size_t bytes) { return Secret(std::string(bytes, '\x5a')); }

}  // namespace

ConnectionFacts FactsOfAnExchange() {
  ConnectionFacts facts;
  facts.service = "smtp";
  facts.remote_ip = "192.0.2.1";
  facts.secured = true;
  facts.can_bind = true;
  facts.certificate = ClientCertificate{};
  facts.certificate->username = kName;
  facts.channel_bindings = {{"tls-server-end-point", std::string(32, 'e')},
                            {"tls-exporter", std::string(32, 'x')}};
  facts.realm = kRealm;
  facts.server_nonce = "3rfcNHYJY1ZVvWVs7j";
  return facts;
}

OneAccount::OneAccount()
    : cram_md5_(CramMd5States(Secret(kPassword))),
      digest_md5_(DigestMd5Ha1(kName, kRealm, Secret(kPassword))) {
  for (const Hash hash : kAllHashes) {
    scram_[IndexOf(hash)] =
        DeriveScramKeyPair(hash, Secret(kPassword), kSalt, kScramIterationsLeast);
  }
}

ScramKeys OneAccount::KeysFor(const ScramUser& user) const {
  ScramKeys keys{std::string(kSalt), kScramIterationsLeast, {}, 7};
  const size_t bytes = HashBytes(user.hash);
  keys.candidates.push_back({"", user.authcid.str() == kName
                                     ? scram_[IndexOf(user.hash)].Clone()
                                     : ScramKeyPair{Decoy(bytes), Decoy(bytes)}});
  return keys;
}

Secret OneAccount::EquivalentFor(const EquivalentOf& question) const {
  const bool known = question.authcid.str() == kName;
  switch (question.kind) {
    case PasswordEquivalent::kCramMd5:
      return known ? cram_md5_.Clone() : Decoy(2 * kMd5Bytes);
    case PasswordEquivalent::kDigestMd5:
      return known && question.realm == kRealm ? digest_md5_.Clone() : Decoy(kMd5Bytes);
  }
  return {};
}

Outcome OneAccount::Settle(Outcome outcome) const {
  while (true) {
    if (auto* claim = std::get_if<CheckPassword>(&outcome)) {
      const bool right = claim->question.authcid.str() == kName &&
                         EqualsConstantTime(claim->question.password.Reveal(), kPassword);
      auto then = std::move(claim->then);
      outcome = std::move(then)(right ? PasswordVerdict::kMatch : PasswordVerdict::kNoMatch);
    } else if (auto* fetch = std::get_if<FetchScramKeys>(&outcome)) {
      auto then = std::move(fetch->then);
      outcome = std::move(then)(KeysFor(fetch->question));
    } else if (auto* equivalent = std::get_if<FetchPasswordEquivalent>(&outcome)) {
      auto then = std::move(equivalent->then);
      outcome = std::move(then)(EquivalentFor(equivalent->question));
    } else if (auto* identify = std::get_if<IdentifyCertificate>(&outcome)) {
      std::optional<Username> account;
      if (identify->question.username == kName)
        account = Username::FromPrepared(std::string(kName));
      auto then = std::move(identify->then);
      outcome = std::move(then)(std::move(account));
    } else {
      return outcome;
    }
  }
}

Outcome ServerSide::Step(std::optional<std::string_view> response) {
  ConnectionFacts facts = facts_;
  facts.server_nonce += std::to_string(steps_);
  const bool first = steps_++ == 0;
  Outcome outcome =
      account_->Settle(first ? mechanism_->Begin(facts, response)
                             : mechanism_->Continue(facts, state, response.value_or("")));
  const auto* challenge = std::get_if<Challenge>(&outcome);
  const bool asks_for_it = first && response.value_or("").empty() && challenge;
  if (!asks_for_it) heard_.responses.emplace_back(response.value_or(""));
  if (challenge) {
    state = challenge->state;
    if (!asks_for_it || !challenge->data.empty()) heard_.challenges.push_back(challenge->data);
  }
  return outcome;
}

}  // namespace sasld
