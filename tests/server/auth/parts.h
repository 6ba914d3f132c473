// What tests of server/auth are made of: real parts with cheap hashing, over a memory store.
#pragma once

#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <string>

#include "server/auth/account_lookups.h"
#include "server/auth/accounts.h"
#include "server/auth/answers.h"
#include "server/auth/audit.h"
#include "server/auth/domains.h"
#include "server/auth/exchange.h"
#include "server/auth/throttle.h"
#include "tests/storage/failing_store.h"

namespace sasld {

inline constexpr Argon2idCost kCheapCost{64, 1, 1};
inline const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

struct Parts {
  // Each password is hashed, unless there is a cache.
  explicit Parts(Lane::Limits limits = {1, 64, 64}, ExchangePolicy policy = DefaultPolicy(),
                 VerificationCache::Limits cached = {0, absl::ZeroDuration()});
  ~Parts() { lane.Close(); }

  // The throttle is off: tests fail to log in more often than people do.
  static ExchangePolicy DefaultPolicy();
  Account MustCreate(std::string_view name, std::string_view password);

  // Runs one step to its end; waits for the lane.
  StepResult Step(StepInput input, absl::Time now = kNow);
  // Until what was submitted to it before has run.
  void WaitForTheLane();

  std::ostringstream log_text;
  std::shared_ptr<spdlog::logger> log;
  FailingStore store;
  Entropy entropy;
  PasswordHasher hasher{kCheapCost, Secret("pepper")};
  Deriver deriver;
  Lane lane;
  InFlight in_flight{lane, Secret(std::string(32, 'f'))};
  VerificationCache cache;
  Directory directory{store, ""};
  AccountLookups lookups{store, directory, true};
  Answers answers{store, directory, deriver, in_flight, cache, Secret("decoy key"), 4096};
  StateSealer sealer{Secret(std::string(32, 'k')), std::string(kStateSaltBytes, 's')};
  Audit audit;
  Throttle throttle;
  LastUses last_uses{store};
  Exchange exchange;
  Accounts accounts;
  Domains domains{store};
};

// The message of PLAIN.
std::string PlainMessage(std::string_view authzid, std::string_view authcid,
                         std::string_view passwd);
// A first step with this initial response.
StepInput FirstStep(std::string mechanism, std::string initial_response);
// The step after `result`, which must be a challenge.
StepInput NextStep(std::string mechanism, const StepResult& result, std::string response);

// The client-final-message for this dialogue.
std::string ScramClientFinal(std::string_view password, std::string_view client_first_bare,
                             std::string_view server_first);

}  // namespace sasld
