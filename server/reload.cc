#include "server/reload.h"

#include <utility>

namespace sasld {

void AdoptReloaded(const ServerConfig& reloaded, const ServerConfig& started, Exchange& exchange,
                   Directory& directory, Deriver& deriver, AccountLookups& lookups) {
  DerivationPlan plan = reloaded.Derivation();
  // The count that unknown users are challenged with stays too: else it would tell them from those
  // whose password is set from now on.
  plan.scram_iterations = started.scram_iterations;
  // Verifiers first: a mechanism is offered to nobody whose new password would lack them.
  deriver.Adopt(std::move(plan));
  directory.Adopt(reloaded.policy.default_realm);
  exchange.Adopt(reloaded.policy);
  lookups.Allow(reloaded.account_lookups);
}

}  // namespace sasld
