// Drives one step of one exchange. All policy is here, in its order, and nowhere else.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/auth/answers.h"
#include "server/auth/audit.h"
#include "server/auth/entropy.h"
#include "server/auth/last_use.h"
#include "server/auth/policy.h"
#include "server/auth/refusal.h"
#include "server/auth/spent_challenges.h"
#include "server/auth/throttle.h"
#include "server/sasl/registry.h"
#include "server/sasl/sealed_state.h"
#include "storage/store.h"

namespace sasld {

struct StepInput {
  std::string mechanism;  // any case
  ConnectionFacts facts;  // server_nonce is filled in by the exchange
  std::string state;      // empty: the first step
  // The client's message, decoded or still in base64. The exchange wipes it.
  struct Base64 {
    std::string text;
  };
  std::variant<std::monostate, std::string, Base64> response;
  absl::Time received;
  absl::Time deadline;
  std::shared_ptr<const std::atomic<bool>> caller_gone;  // may be null
};

struct ContinueWith {
  std::string data;
  std::string sealed_state;
  std::string channel_binding_type =
      {};  // not empty: the next step needs binding data of this type
};
// By the accounts' own names, also where the client gave an alias.
struct Granted {
  std::string authcid;
  std::string authzid;
  std::optional<std::string> data;
  bool anonymous = false;  // authcid is set aside for those who are nobody
};
struct Refused {
  Refusal refusal;
  std::string authcid;    // as claimed; empty if none was learned
  absl::Time not_before;  // hold the reply until then
};
using StepResult = std::variant<ContinueWith, Granted, Refused, Undecided>;

// Thread-safe. What it is given must outlive it.
class Exchange {
 public:
  Exchange(const ExchangePolicy& policy, const Directory& directory, const Answers& answers,
           const StateSealer& sealer, Entropy& entropy, Audit& audit, Throttle& throttle,
           LastUses& last_uses);

  // `done` is called exactly once: in place, or later on the hashing lane.
  using OnResult = absl::AnyInvocable<void(StepResult) &&>;
  void Step(StepInput input, absl::Time now, OnResult done);

  // From now on steps follow this policy; those under way end by the one they began with.
  void Adopt(const ExchangePolicy& policy);

  // All that is switched on, best first.
  std::vector<const RegisteredMechanism*> Enabled() const;

  // What is offered, best first. With facts: less what they rule out. Without, for a list that is
  // written before a client is known: less what hangs on channel binding or a certificate.
  std::vector<const RegisteredMechanism*> Offered(const ConnectionFacts* facts) const;

 private:
  struct UnderWay;

  std::shared_ptr<const PolicyInForce> CurrentRules() const;
  Outcome Begin(UnderWay& step, StepInput& input, absl::Time now);
  void Drive(UnderWay step, Outcome outcome);
  std::optional<Failure> ThrottledAccount(const UnderWay& step, const Username& account) const;
  absl::StatusOr<Account> AccountNow(UnderWay& step, const Username& name) const;
  StepResult Judge(UnderWay& step, const Success& success);
  StepResult JudgeAuthzid(const UnderWay& step, const Account& account, const Success& success);
  StepResult Grant(const UnderWay& step, const Username& account, const Username& authzid,
                   const Success& success);
  StepResult JudgeAnonymous(const UnderWay& step, const AnonymousSuccess& success);
  StepResult Refuse(const UnderWay& step, const Failure& failure);
  StepResult GiveUp(const UnderWay& step, std::string_view authcid, const absl::Status& why);
  StepResult Continue(const UnderWay& step, Challenge challenge);

  mutable absl::Mutex mutex_;
  std::shared_ptr<const PolicyInForce> rules_ ABSL_GUARDED_BY(mutex_);
  const Directory& directory_;
  const Answers& answers_;
  const StateSealer& sealer_;
  Entropy& entropy_;
  Audit& audit_;
  Throttle& throttle_;
  LastUses& last_uses_;
  std::atomic<uint64_t> sealed_count_ = 0;
  SpentChallenges spent_;
};

}  // namespace sasld
