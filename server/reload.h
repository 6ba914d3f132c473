// What SIGHUP takes over of a configuration that was read again.
#pragma once

#include "server/auth/account_lookups.h"
#include "server/auth/derivation.h"
#include "server/auth/exchange.h"
#include "server/config.h"

namespace sasld {

// From now on steps and look-ups follow `reloaded`'s [mechanisms] and [policy], and passwords are
// set for its mechanisms. All else stays as in `started`, which sasld was started with.
void AdoptReloaded(const ServerConfig& reloaded, const ServerConfig& started, Exchange& exchange,
                   Directory& directory, Deriver& deriver, AccountLookups& lookups);

}  // namespace sasld
