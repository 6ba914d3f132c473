#include "tests/server/auth/parts.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "server/sasl/base64.h"
#include "storage/memory/memory_store.h"

namespace sasld {

Parts::Parts(Lane::Limits limits, ExchangePolicy policy, VerificationCache::Limits cached)
    : log(std::make_shared<spdlog::logger>(
          "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_text))),
      store(MakeMemoryStore()),
      deriver(hasher, entropy, DerivationPlan::For(policy.mechanisms, 4096, policy.realm)),
      lane(limits),
      cache(cached, Secret(std::string(32, 'c'))),
      audit(log, true),
      exchange(policy, directory, answers, sealer, entropy, audit, throttle, last_uses),
      accounts(store, directory, deriver, lane) {}

ExchangePolicy Parts::DefaultPolicy() {
  ExchangePolicy policy;
  policy.mechanisms = {"SCRAM-SHA-256", "PLAIN", "LOGIN"};
  policy.throttle.peer_failures = 0;
  policy.throttle.account_failures = 0;
  return policy;
}

Account Parts::MustCreate(std::string_view name, std::string_view password) {
  absl::StatusOr<Account> account = accounts.Create(name, password, true, kNow);
  EXPECT_TRUE(account.ok()) << account.status();
  return *std::move(account);
}

StepResult Parts::Step(StepInput input, absl::Time now) {
  StepResult result = Undecided{"never answered", false};
  absl::Notification answered;
  exchange.Step(std::move(input), now, [&](StepResult given) {
    result = std::move(given);
    answered.Notify();
  });
  answered.WaitForNotification();
  return result;
}

void Parts::WaitForTheLane() {
  for (size_t i = 0; i < lane.limits().threads; ++i) {
    EXPECT_TRUE(lane.Run("waiting", [] { return absl::OkStatus(); }).ok());
  }
}

std::string PlainMessage(std::string_view authzid, std::string_view authcid,
                         std::string_view passwd) {
  std::string message(authzid);
  message.append(1, '\0').append(authcid).append(1, '\0').append(passwd);
  return message;
}

StepInput FirstStep(std::string mechanism, std::string initial_response) {
  StepInput input;
  input.mechanism = std::move(mechanism);
  input.facts.service = "smtp";
  input.facts.remote_ip = "192.0.2.7";
  input.facts.local_ip = "198.51.100.1";
  input.facts.secured = true;
  input.response = std::move(initial_response);
  input.received = kNow;
  input.deadline = absl::InfiniteFuture();
  return input;
}

StepInput NextStep(std::string mechanism, const StepResult& result, std::string response) {
  StepInput input = FirstStep(std::move(mechanism), std::move(response));
  const auto* next = std::get_if<ContinueWith>(&result);
  EXPECT_NE(next, nullptr) << "the exchange does not go on";
  if (next) input.state = next->sealed_state;
  return input;
}

std::string ScramClientFinal(std::string_view password, std::string_view client_first_bare,
                             std::string_view server_first) {
  // r=…,s=…,i=…
  const size_t salt_at = server_first.find(",s=");
  const size_t count_at = server_first.find(",i=");
  const std::string nonce(server_first.substr(2, salt_at - 2));
  const std::string salt =
      DecodeBase64(server_first.substr(salt_at + 3, count_at - salt_at - 3)).value();
  const auto iterations =
      static_cast<uint32_t>(std::stoul(std::string(server_first.substr(count_at + 3))));
  const std::string without_proof = "c=biws,r=" + nonce;
  const std::string auth_message =
      std::string(client_first_bare) + "," + std::string(server_first) + "," + without_proof;

  // ClientProof = ClientKey XOR HMAC(StoredKey, AuthMessage).
  const Secret salted = Pbkdf2(Hash::kSha256, password, salt, iterations);
  Secret proof = Hmac(Hash::kSha256, salted.Reveal(), "Client Key");
  const Secret stored_key = Digest(Hash::kSha256, proof.Reveal());
  const Secret signature = Hmac(Hash::kSha256, stored_key.Reveal(), auth_message);
  for (size_t b = 0; b < proof.size(); ++b) proof.Bytes()[b] ^= signature.Reveal()[b];
  return without_proof + ",p=" + EncodeBase64(proof.Reveal());
}

}  // namespace sasld
