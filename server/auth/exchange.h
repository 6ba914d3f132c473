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
#include "server/sasl/registry.h"
#include "server/sasl/sealed_state.h"
#include "storage/store.h"

namespace sasld {

enum class PlaintextRule {
  kSecured,  // only on a secured connection, or one that stays on this machine
  kAlways,
};

struct ExchangePolicy {
  std::vector<std::string> mechanisms;  // enabled, best first, as registered
  PlaintextRule plaintext = PlaintextRule::kSecured;
  // A refusal leaves so long after its step came in, whatever the work took: so time tells nothing.
  absl::Duration failure_delay = absl::Seconds(2);
  // An exchange that takes longer between two steps has to start again.
  absl::Duration state_lifetime = absl::Seconds(120);
  // May act as any other enabled account (authzid).
  std::vector<Username> proxies;
};

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
};
struct Granted {
  std::string authcid;
  std::string authzid;
  std::optional<std::string> data;
};
// What the client may learn of its failure.
enum class Refusal {
  kAuthenticationFailed,
  kMalformed,
  kMechanismUnavailable,
  kEncryptionRequired,
  kInvalidBase64
};
struct Refused {
  Refusal refusal;
  std::string authcid;    // as claimed; empty if none was learned
  absl::Time not_before;  // hold the reply until then
};
// Nobody can tell now. `text` is static and short.
struct Undecided {
  std::string_view text;
};
using StepResult = std::variant<ContinueWith, Granted, Refused, Undecided>;

// Thread-safe. What it is given must outlive it.
class Exchange {
 public:
  Exchange(const ExchangePolicy& policy, const Store& store, const Answers& answers,
           const StateSealer& sealer, Entropy& entropy, Audit& audit);

  // `done` is called exactly once: in place, or later on the hashing lane.
  using OnResult = absl::AnyInvocable<void(StepResult) &&>;
  void Step(StepInput input, absl::Time now, OnResult done);

  // From now on steps follow this policy; those under way end by the one they began with.
  void Adopt(const ExchangePolicy& policy);

  // What is offered, best first. With facts: less what they rule out.
  std::vector<const RegisteredMechanism*> Offered(const ConnectionFacts* facts) const;

 private:
  struct Rules;
  struct UnderWay;

  std::shared_ptr<const Rules> CurrentRules() const;
  Outcome Begin(UnderWay& step, StepInput& input, absl::Time now);
  void Drive(UnderWay step, Outcome outcome);
  StepResult Judge(const UnderWay& step, const Success& success);
  StepResult Refuse(const UnderWay& step, const Failure& failure);
  StepResult GiveUp(const UnderWay& step, std::string_view authcid, const absl::Status& why);
  StepResult Continue(const UnderWay& step, Challenge challenge);

  mutable absl::Mutex mutex_;
  std::shared_ptr<const Rules> rules_ ABSL_GUARDED_BY(mutex_);
  const Store& store_;
  const Answers& answers_;
  const StateSealer& sealer_;
  Entropy& entropy_;
  Audit& audit_;
  std::atomic<uint64_t> sealed_count_ = 0;
};

}  // namespace sasld
