#include "server/auth/exchange.h"

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "server/auth/access.h"
#include "server/auth/dated_state.h"
#include "server/sasl/base64.h"

namespace sasld {
namespace {

// What a mechanism calls bad credentials, since it cannot tell; the engine can.
Reason TrueReason(Reason reason, Basis basis) {
  if (reason != Reason::kBadCredentials) return reason;
  switch (basis) {
    case Basis::kVerifier:
      return reason;
    case Basis::kNoAccount:
      return Reason::kUnknownUser;
    case Basis::kNoVerifier:
      return Reason::kNoVerifier;
  }
  return reason;
}

}  // namespace

// One step while it is worked on. Moved along, from thread to thread where need be.
struct Exchange::UnderWay {
  std::shared_ptr<const PolicyInForce> rules;
  const PolicyInForce::Enabled* mechanism = nullptr;  // null: the client named none of ours
  ConnectionFacts facts;
  Origin origin;
  absl::Time received;
  absl::Time now;  // of the clock, when the step began
  absl::Time deadline;
  std::shared_ptr<const std::atomic<bool>> caller_gone;  // may be null
  OnResult done;
  // An account that was read a moment ago, for the keys; it need not be read again to be judged.
  struct Seen {
    Username name;                     // as it was asked for
    std::unique_ptr<Account> account;  // null: there is none
  };
  std::optional<Seen> seen;
  Basis basis = Basis::kVerifier;  // of the last answer
  std::string app_password;        // the id of the one that matched as a whole; empty: none did
  ProvedCredential proved;         // once the client has proved one,
  std::string credential;          // and its name for the audit trail

  std::string_view name() const {
    return mechanism ? mechanism->registered->name : std::string_view("unknown");
  }
  LoginAttempt attempt() const { return {facts.service, facts.remote_ip, name(), now}; }
  ProvedCredential ProvedBy(const Success& success) const {
    if (mechanism->registered->verifier == Verifier::kCertificate) return ByCertificate{};
    const std::string& id = success.candidate.empty() ? app_password : success.candidate;
    if (id.empty()) return OwnPassword{};
    return ByAppPassword{id};
  }
};

Exchange::Exchange(const ExchangePolicy& policy, const Directory& directory, const Answers& answers,
                   const StateSealer& sealer, Entropy& entropy, Audit& audit, Throttle& throttle,
                   LastUses& last_uses)
    : rules_(std::make_shared<const PolicyInForce>(policy)),
      directory_(directory),
      answers_(answers),
      sealer_(sealer),
      entropy_(entropy),
      audit_(audit),
      throttle_(throttle),
      last_uses_(last_uses) {}

void Exchange::Adopt(const ExchangePolicy& policy) {
  auto rules = std::make_shared<const PolicyInForce>(policy);
  absl::MutexLock lock(&mutex_);
  rules_ = std::move(rules);
}

std::shared_ptr<const PolicyInForce> Exchange::CurrentRules() const {
  absl::ReaderMutexLock lock(&mutex_);
  return rules_;
}

std::vector<const RegisteredMechanism*> Exchange::Enabled() const {
  const std::shared_ptr<const PolicyInForce> rules = CurrentRules();
  std::vector<const RegisteredMechanism*> mechanisms;
  for (const PolicyInForce::Enabled& enabled : rules->enabled())
    mechanisms.push_back(enabled.registered);
  return mechanisms;
}

std::vector<const RegisteredMechanism*> Exchange::Offered(const ConnectionFacts* facts) const {
  return CurrentRules()->Offered(facts);
}

void Exchange::Step(StepInput input, absl::Time now, OnResult done) {
  UnderWay step;
  step.rules = CurrentRules();
  step.mechanism = step.rules->Find(input.mechanism);
  step.facts = std::move(input.facts);
  step.origin = Origin::Of(step.rules->policy().throttle, step.facts.remote_ip);
  step.received = input.received;
  step.now = now;
  step.deadline = input.deadline;
  step.caller_gone = std::move(input.caller_gone);
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

  // At each step, not only the first: as no table of half-open exchanges bounds them, many could be
  // begun before any failed.
  if (!throttle_.AdmitsPeer(step.rules->policy().throttle, step.origin, now)) {
    return Failure{Reason::kPeerThrottled, "too many failed logins from this address"};
  }
  if (!step.mechanism) return Failure{Reason::kMechanismUnavailable, "not enabled"};
  const RegisteredMechanism& registered = *step.mechanism->registered;
  if (registered.properties.plaintext && !step.rules->AllowsPlaintext(step.facts)) {
    return Failure{Reason::kEncryptionRequired, "plaintext without TLS"};
  }
  if (!PolicyInForce::CanWork(registered, step.facts)) {
    return Failure{Reason::kMechanismUnavailable, "no channel binding or certificate here"};
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
  step.facts.realm = step.rules->policy().realm;
  step.facts.binding_offered = step.mechanism->with_binding_too && step.facts.can_bind;
  const Mechanism& mechanism = *step.mechanism->mechanism;
  if (input.state.empty()) return mechanism.Begin(step.facts, response);

  const std::optional<std::string> dated =
      sealer_.Open(BindingOf(step.name(), step.facts), input.state);
  if (!dated) return Failure{Reason::kStateInvalid, "not sealed by us for this connection"};
  const std::optional<DatedState> state = IfNotExpired(*dated, now);
  if (!state) return Failure{Reason::kStateInvalid, "expired"};
  if (registered.challenge_is_used_once) {
    switch (spent_.Mark(StateSealer::UniquePartOf(input.state), state->expiry, now)) {
      case SpentChallenges::Use::kFirst:
        break;
      case SpentChallenges::Use::kAgain:
        return Failure{Reason::kUsedBefore, "this challenge was answered before"};
      case SpentChallenges::Use::kNoRoom:
        return Failure{Reason::kUsedBefore, "too many challenges answered to remember them all"};
    }
  }
  return mechanism.Continue(step.facts, state->state, response.value_or(""));
}

// Follows an outcome to its end; a question that takes long is taken up again on the lane.
void Exchange::Drive(UnderWay step, Outcome outcome) {
  struct Visitor {
    Exchange& exchange;
    UnderWay step;

    void End(StepResult result) { std::move(step.done)(std::move(result)); }
    bool Throttled(const Username& account) {
      const std::optional<Failure> failure = exchange.ThrottledAccount(step, account);
      if (failure) End(exchange.Refuse(step, *failure));
      return failure.has_value();
    }

    void operator()(Challenge challenge) { End(exchange.Continue(step, std::move(challenge))); }
    void operator()(CheckPassword ask) {
      if (Throttled(ask.question.authcid)) return;
      step.seen.reset();  // this takes longer than a moment
      // Of IPv6 a /64, else one client could take the turns of as many as it has addresses.
      std::string source = step.origin.peer ? step.origin.peer->str() : std::string();
      Caller caller{std::move(source), step.deadline, step.caller_gone, step.facts.service,
                    step.now};
      // Kept for the case that nobody can tell.
      std::string authcid = ask.question.authcid.str();
      exchange.answers_.Check(
          std::move(ask.question), std::move(caller),
          [&exchange = exchange, step = std::move(step), then = std::move(ask.then),
           authcid = std::move(authcid)](absl::StatusOr<PasswordAnswer> answer) mutable {
            if (!answer.ok()) {
              StepResult result = exchange.GiveUp(step, authcid, answer.status());
              std::move(step.done)(std::move(result));
              return;
            }
            step.basis = answer->basis;
            step.app_password = std::move(answer->app_password);
            exchange.Drive(std::move(step), std::move(then)(answer->verdict));
          });
    }
    void operator()(FetchScramKeys ask) {
      if (Throttled(ask.question.authcid)) return;
      absl::StatusOr<ScramAnswer> answer = exchange.answers_.KeysFor(ask.question);
      if (!answer.ok()) {
        return End(exchange.GiveUp(step, ask.question.authcid.str(), answer.status()));
      }
      step.seen.emplace(UnderWay::Seen{
          std::move(ask.question.authcid),
          answer->account ? std::make_unique<Account>(*std::move(answer->account)) : nullptr});
      step.basis = answer->basis;
      exchange.Drive(std::move(step), std::move(ask.then)(std::move(answer->keys)));
    }
    void operator()(FetchPasswordEquivalent ask) {
      if (Throttled(ask.question.authcid)) return;
      absl::StatusOr<EquivalentAnswer> answer = exchange.answers_.EquivalentFor(ask.question);
      if (!answer.ok()) {
        return End(exchange.GiveUp(step, ask.question.authcid.str(), answer.status()));
      }
      step.basis = answer->basis;
      exchange.Drive(std::move(step), std::move(ask.then)(std::move(answer->equivalent)));
    }
    void operator()(IdentifyCertificate ask) {
      std::optional<Username> account = step.rules->policy().certificates.AccountOf(ask.question);
      if (account && Throttled(*account)) return;
      exchange.Drive(std::move(step), std::move(ask.then)(std::move(account)));
    }
    void operator()(const Success& success) { End(exchange.Judge(step, success)); }
    void operator()(const AnonymousSuccess& success) {
      End(exchange.JudgeAnonymous(step, success));
    }
    void operator()(const Failure& failure) { End(exchange.Refuse(step, failure)); }
  };
  std::visit(Visitor{*this, std::move(step)}, std::move(outcome));
}

// Asked for each name as soon as it is known: before it is hashed for or looked up, so that it is
// the same for names that nobody has. In full: leaving out the domain gives nobody more tries.
std::optional<Failure> Exchange::ThrottledAccount(const UnderWay& step,
                                                  const Username& account) const {
  if (throttle_.AdmitsAccount(step.rules->policy().throttle, step.origin,
                              directory_.Complete(account), step.now)) {
    return std::nullopt;
  }
  return Failure{Reason::kAccountThrottled,
                 "too many failed logins of this account, and this address is not known for it",
                 account};
}

absl::StatusOr<Account> Exchange::AccountNow(UnderWay& step, const Username& name) const {
  if (!step.seen || step.seen->name != name) return directory_.Find(name);
  if (!step.seen->account) return absl::NotFoundError("no such user");
  return std::move(*step.seen->account);
}

// The client proved who it is. May it come in by what it proved?
StepResult Exchange::Judge(UnderWay& step, const Success& success) {
  const Username& authcid = success.identity.authcid;
  const absl::StatusOr<Account> account = AccountNow(step, authcid);
  if (absl::IsNotFound(account.status())) {
    return Refuse(step, {Reason::kNotAuthorized, "no such account", authcid});
  }
  if (!account.ok()) return GiveUp(step, authcid.str(), account.status());
  step.proved = step.ProvedBy(success);
  step.credential = NameOf(step.proved);
  if (const auto denial = WhyNotLetIn(*account, step.proved, step.attempt())) {
    return Refuse(step, {denial->reason, denial->detail, authcid});
  }
  return JudgeAuthzid(step, *account, success);
}

// And as whom? From here on accounts go by their own names, whatever alias the client knows them
// by.
StepResult Exchange::JudgeAuthzid(const UnderWay& step, const Account& account,
                                  const Success& success) {
  const Username& authcid = success.identity.authcid;
  const std::optional<Username>& wanted = success.identity.authzid;
  if (!wanted || *wanted == authcid || *wanted == account.name) {
    return Grant(step, account.name, account.name, success);
  }
  const absl::StatusOr<Account> other = directory_.Find(*wanted);
  if (absl::IsNotFound(other.status())) {
    return Refuse(step, {Reason::kNotAuthorized, "no such account to act as", authcid});
  }
  if (!other.ok()) return GiveUp(step, authcid.str(), other.status());
  if (other->name != account.name) {
    if (const auto denial = WhyNotActedAs(*other, step.attempt())) {
      return Refuse(step, {denial->reason, denial->detail, authcid});
    }
  }
  if (!step.rules->MayActAs(account.name, other->name)) {
    return Refuse(step, {Reason::kNotAuthorized, "may not act as authzid", authcid});
  }
  return Grant(step, account.name, other->name, success);
}

StepResult Exchange::Grant(const UnderWay& step, const Username& account, const Username& authzid,
                           const Success& success) {
  audit_.Granted({step.name(), step.facts, account.str(),
                  authzid == account ? std::string_view() : std::string_view(authzid.str()), "",
                  step.credential});
  // By the name that was asked for: it is what is throttled before an account is known.
  throttle_.Succeeded(step.origin, directory_.Complete(success.identity.authcid), step.now);
  if (!std::holds_alternative<ByCertificate>(step.proved)) {
    const auto* app = std::get_if<ByAppPassword>(&step.proved);
    last_uses_.Note(account, app ? std::string_view(app->id) : std::string_view(),
                    {step.now, step.facts.remote_ip, std::string(step.name())});
  }
  return Granted{account.str(), authzid.str(), success.data};
}

// The account is a name that is nobody's: one that could log in otherwise would be more than that.
StepResult Exchange::JudgeAnonymous(const UnderWay& step, const AnonymousSuccess& success) {
  const std::optional<Username>& account = step.rules->policy().anonymous;
  if (!account) return Refuse(step, {Reason::kNotAuthorized, "no account for anonymous clients"});
  const absl::Status found = directory_.Find(*account).status();
  if (found.ok()) {
    return Refuse(
        step, {Reason::kNotAuthorized, "the account for anonymous clients is a user's", *account});
  }
  if (!absl::IsNotFound(found)) return GiveUp(step, account->str(), found);
  audit_.Granted({step.name(), step.facts, account->str(), "", success.trace});
  return Granted{account->str(), account->str(), std::nullopt, true};
}

StepResult Exchange::Refuse(const UnderWay& step, const Failure& failure) {
  const std::string authcid = failure.authcid ? failure.authcid->str() : std::string();
  const AuditRecord record{step.name(), step.facts, authcid, "", "", step.credential};
  const std::variant<Refusal, Undecided> learned = WhatTheClientLearns(failure.reason);
  if (const auto* undecided = std::get_if<Undecided>(&learned)) {
    audit_.HeldBack(record, failure.reason, failure.detail);
    return *undecided;
  }
  audit_.Refused(record, TrueReason(failure.reason, step.basis), failure.detail);
  const Refusal refusal = std::get<Refusal>(learned);
  // Whatever the true reason is: else who is throttled would learn it.
  if (refusal == Refusal::kAuthenticationFailed) {
    std::optional<Username> account;
    if (failure.authcid) account = directory_.Complete(*failure.authcid);
    throttle_.Failed(step.rules->policy().throttle, step.origin, account ? &*account : nullptr,
                     step.now);
  }
  // Only where a credential may have played a part does time have something to hide.
  const bool told_apart_by_time =
      refusal == Refusal::kAuthenticationFailed || refusal == Refusal::kMalformed;
  return Refused{
      refusal, authcid,
      told_apart_by_time ? step.received + step.rules->policy().failure_delay : step.received};
}

StepResult Exchange::GiveUp(const UnderWay& step, std::string_view authcid,
                            const absl::Status& why) {
  audit_.Undecided({step.name(), step.facts, authcid, ""}, why);
  return WhatTheClientLearns(why);
}

StepResult Exchange::Continue(const UnderWay& step, Challenge challenge) {
  const absl::Time expiry = step.now + step.rules->policy().state_lifetime;
  const uint64_t count = sealed_count_.fetch_add(1, std::memory_order_relaxed);
  return ContinueWith{
      std::move(challenge.data),
      sealer_.Seal(count, BindingOf(step.name(), step.facts), WithExpiry(expiry, challenge.state)),
      std::move(challenge.channel_binding_type)};
}

}  // namespace sasld
