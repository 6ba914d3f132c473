#include "server/auth/exchange.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "server/sasl/base64.h"
#include "server/sasl/fields.h"

namespace sasld {
namespace {

// Whoever reaches the mail server without leaving the machine cannot be listened to on the way. A
// caller that names no address has no network connection to speak of.
bool StaysOnThisMachine(const ConnectionFacts& facts) {
  return facts.remote_ip.empty() || facts.remote_ip == facts.local_ip || facts.remote_ip == "::1" ||
         facts.remote_ip.starts_with("127.");
}

// What a sealed state is bound to: the mechanism and all facts of the connection.
std::string Binding(std::string_view mechanism, const ConnectionFacts& facts) {
  std::string binding;
  binding.reserve(128);
  for (const std::string_view field :
       {mechanism, std::string_view(facts.service), std::string_view(facts.remote_ip),
        std::string_view(facts.local_ip)}) {
    AppendField(binding, field);
  }
  AppendNumber(binding, facts.remote_port);
  AppendNumber(binding, facts.local_port);
  AppendNumber(binding, facts.secured ? 1 : 0);
  return binding;
}

// The state with the time it expires at before it.
std::string WithExpiry(absl::Time expiry, std::string_view state) {
  std::string dated;
  AppendNumber(dated, static_cast<uint64_t>(absl::ToUnixMillis(expiry)));
  return dated.append(state);
}

std::optional<std::string_view> IfNotExpired(std::string_view dated, absl::Time now) {
  const std::optional<uint64_t> expiry = TakeNumber(dated);
  if (!expiry || static_cast<uint64_t>(absl::ToUnixMillis(now)) > *expiry) return std::nullopt;
  return dated;
}

Refusal WhatTheClientLearns(Reason reason) {
  switch (reason) {
    case Reason::kMalformed:
      return Refusal::kMalformed;
    case Reason::kMechanismUnavailable:
      return Refusal::kMechanismUnavailable;
    case Reason::kEncryptionRequired:
      return Refusal::kEncryptionRequired;
    case Reason::kInvalidBase64:
      return Refusal::kInvalidBase64;
    case Reason::kBadCredentials:
    case Reason::kStateInvalid:
    case Reason::kNonceMismatch:
    case Reason::kBindingMismatch:
    case Reason::kCredentialChanged:
    case Reason::kNotAuthorized:
    case Reason::kDisabled:
      return Refusal::kAuthenticationFailed;
  }
  return Refusal::kAuthenticationFailed;
}

}  // namespace

// A policy made ready for use.
struct Exchange::Rules {
  struct Enabled {
    const RegisteredMechanism* registered;
    std::unique_ptr<const Mechanism> mechanism;
  };

  explicit Rules(const ExchangePolicy& source) : policy(source) {
    for (const std::string& name : policy.mechanisms) {
      if (const RegisteredMechanism* known = FindMechanism(name)) {
        enabled.push_back({known, known->make()});
      }
    }
  }

  // Null: unknown or not enabled.
  const Enabled* Find(std::string_view name) const {
    const RegisteredMechanism* known = FindMechanism(name);
    if (known == nullptr) return nullptr;
    const auto found = std::find_if(enabled.begin(), enabled.end(), [known](const Enabled& one) {
      return one.registered == known;
    });
    return found == enabled.end() ? nullptr : &*found;
  }

  bool Allows(const RegisteredMechanism& mechanism, const ConnectionFacts& facts) const {
    return !mechanism.properties.plaintext || policy.plaintext == PlaintextRule::kAlways ||
           facts.secured || StaysOnThisMachine(facts);
  }

  bool MayActAs(const Username& authcid, const Username& authzid) const {
    return authcid == authzid ||
           std::find(policy.proxies.begin(), policy.proxies.end(), authcid) != policy.proxies.end();
  }

  const ExchangePolicy policy;
  std::vector<Enabled> enabled;
};

// One step while it is worked on. Moved along, from thread to thread where need be.
struct Exchange::UnderWay {
  std::shared_ptr<const Rules> rules;
  const Rules::Enabled* mechanism = nullptr;  // null: the client named none of ours
  ConnectionFacts facts;
  absl::Time received;
  Caller caller;
  absl::Time state_expiry;
  OnResult done;

  std::string_view name() const {
    return mechanism ? mechanism->registered->name : std::string_view("unknown");
  }
};

Exchange::Exchange(const ExchangePolicy& policy, const Store& store, const Answers& answers,
                   const StateSealer& sealer, Entropy& entropy, Audit& audit)
    : rules_(std::make_shared<const Rules>(policy)),
      store_(store),
      answers_(answers),
      sealer_(sealer),
      entropy_(entropy),
      audit_(audit) {}

void Exchange::Adopt(const ExchangePolicy& policy) {
  auto rules = std::make_shared<const Rules>(policy);
  absl::MutexLock lock(&mutex_);
  rules_ = std::move(rules);
}

std::shared_ptr<const Exchange::Rules> Exchange::CurrentRules() const {
  absl::ReaderMutexLock lock(&mutex_);
  return rules_;
}

std::vector<const RegisteredMechanism*> Exchange::Offered(const ConnectionFacts* facts) const {
  const std::shared_ptr<const Rules> rules = CurrentRules();
  std::vector<const RegisteredMechanism*> offered;
  for (const Rules::Enabled& enabled : rules->enabled) {
    if (!facts || rules->Allows(*enabled.registered, *facts)) {
      offered.push_back(enabled.registered);
    }
  }
  return offered;
}

void Exchange::Step(StepInput input, absl::Time now, OnResult done) {
  UnderWay step;
  step.rules = CurrentRules();
  step.mechanism = step.rules->Find(input.mechanism);
  step.facts = std::move(input.facts);
  step.received = input.received;
  step.caller = {step.facts.remote_ip, input.deadline, std::move(input.caller_gone)};
  step.state_expiry = now + step.rules->policy.state_lifetime;
  step.done = std::move(done);
  Outcome outcome = Begin(step, input, now);
  Drive(std::move(step), std::move(outcome));
}

// From the mechanism's name to its first word.
Outcome Exchange::Begin(UnderWay& step, StepInput& input, absl::Time now) {
  std::optional<std::string> decoded;
  const absl::Cleanup wiper = [&input, &decoded] {
    if (decoded) WipeMemory(decoded->data(), decoded->size());
    if (auto* raw = std::get_if<std::string>(&input.response)) WipeMemory(raw->data(), raw->size());
    if (auto* base64 = std::get_if<StepInput::Base64>(&input.response)) {
      WipeMemory(base64->text.data(), base64->text.size());
    }
  };

  if (!step.mechanism) return Failure{Reason::kMechanismUnavailable, "not enabled"};
  if (!step.rules->Allows(*step.mechanism->registered, step.facts)) {
    return Failure{Reason::kEncryptionRequired, "plaintext without TLS"};
  }
  // Read where it lies: a short string that is moved leaves its bytes behind, unwiped.
  std::optional<std::string_view> response;
  if (const auto* raw = std::get_if<std::string>(&input.response)) {
    response = *raw;
  } else if (const auto* base64 = std::get_if<StepInput::Base64>(&input.response)) {
    decoded = DecodeBase64(base64->text);
    if (!decoded) return Failure{Reason::kInvalidBase64, "response"};
    response = *decoded;
  }

  step.facts.server_nonce = entropy_.Nonce();
  const Mechanism& mechanism = *step.mechanism->mechanism;
  if (input.state.empty()) return mechanism.Begin(step.facts, response);

  const std::optional<std::string> dated =
      sealer_.Open(Binding(step.name(), step.facts), input.state);
  if (!dated) return Failure{Reason::kStateInvalid, "not sealed by us for this connection"};
  const std::optional<std::string_view> state = IfNotExpired(*dated, now);
  if (!state) return Failure{Reason::kStateInvalid, "expired"};
  return mechanism.Continue(step.facts, *state, response.value_or(""));
}

// Follows an outcome to its end; a question that takes long is taken up again on the lane.
void Exchange::Drive(UnderWay step, Outcome outcome) {
  struct Visitor {
    Exchange& exchange;
    UnderWay step;

    void operator()(Challenge challenge) {
      StepResult result = exchange.Continue(step, std::move(challenge));
      std::move(step.done)(std::move(result));
    }
    void operator()(CheckPassword ask) {
      Caller caller = step.caller;
      // Kept for the case that nobody can tell.
      std::string authcid = ask.question.authcid.str();
      exchange.answers_.Check(
          std::move(ask.question), std::move(caller),
          [&exchange = exchange, step = std::move(step), then = std::move(ask.then),
           authcid = std::move(authcid)](absl::StatusOr<PasswordVerdict> verdict) mutable {
            if (!verdict.ok()) {
              StepResult result = exchange.GiveUp(step, authcid, verdict.status());
              std::move(step.done)(std::move(result));
              return;
            }
            exchange.Drive(std::move(step), std::move(then)(*verdict));
          });
    }
    void operator()(FetchScramKeys ask) {
      absl::StatusOr<ScramKeys> keys = exchange.answers_.KeysFor(ask.question);
      if (!keys.ok()) {
        StepResult result = exchange.GiveUp(step, ask.question.authcid.str(), keys.status());
        std::move(step.done)(std::move(result));
        return;
      }
      exchange.Drive(std::move(step), std::move(ask.then)(*std::move(keys)));
    }
    void operator()(Success success) {
      StepResult result = exchange.Judge(step, success);
      std::move(step.done)(std::move(result));
    }
    void operator()(Failure failure) {
      StepResult result = exchange.Refuse(step, failure);
      std::move(step.done)(std::move(result));
    }
  };
  std::visit(Visitor{*this, std::move(step)}, std::move(outcome));
}

// The client proved who it is. May it come in, and as whom?
StepResult Exchange::Judge(const UnderWay& step, const Success& success) {
  const Username& authcid = success.identity.authcid;
  const Username& authzid = success.identity.authzid.value_or(authcid);
  for (const Username* name : {&authcid, &authzid}) {
    const absl::StatusOr<Account> account = store_.Find(*name);
    if (absl::IsNotFound(account.status())) {
      return Refuse(step, {Reason::kNotAuthorized, "no such account", authcid});
    }
    if (!account.ok()) return GiveUp(step, authcid.str(), account.status());
    if (!account->enabled) return Refuse(step, {Reason::kDisabled, "account disabled", authcid});
    if (authzid == authcid) break;
  }
  if (!step.rules->MayActAs(authcid, authzid)) {
    return Refuse(step, {Reason::kNotAuthorized, "may not act as authzid", authcid});
  }
  audit_.Granted({step.name(), step.facts, authcid.str(),
                  authzid == authcid ? std::string_view() : std::string_view(authzid.str())});
  return Granted{authcid.str(), authzid.str(), success.data};
}

StepResult Exchange::Refuse(const UnderWay& step, const Failure& failure) {
  const std::string authcid = failure.authcid ? failure.authcid->str() : std::string();
  audit_.Refused({step.name(), step.facts, authcid, ""}, failure.reason, failure.detail);
  const Refusal refusal = WhatTheClientLearns(failure.reason);
  // Only where a credential may have played a part does time have something to hide.
  const bool told_apart_by_time =
      refusal == Refusal::kAuthenticationFailed || refusal == Refusal::kMalformed;
  return Refused{
      refusal, authcid,
      told_apart_by_time ? step.received + step.rules->policy.failure_delay : step.received};
}

StepResult Exchange::GiveUp(const UnderWay& step, std::string_view authcid,
                            const absl::Status& why) {
  const absl::string_view message = why.message();
  audit_.Undecided({step.name(), step.facts, authcid, ""},
                   std::string_view(message.data(), message.size()));
  switch (why.code()) {
    case absl::StatusCode::kResourceExhausted:
      return Undecided{"too busy to check passwords"};
    case absl::StatusCode::kDeadlineExceeded:
      return Undecided{"took too long"};
    default:
      return Undecided{"the credential store cannot be read"};
  }
}

StepResult Exchange::Continue(const UnderWay& step, Challenge challenge) {
  const uint64_t count = sealed_count_.fetch_add(1, std::memory_order_relaxed);
  return ContinueWith{std::move(challenge.data),
                      sealer_.Seal(count, Binding(step.name(), step.facts),
                                   WithExpiry(step.state_expiry, challenge.state))};
}

}  // namespace sasld
