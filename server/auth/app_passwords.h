// App passwords: generated, one for each device, so strong that a keyed hash is enough to keep them
// by.
//
// One has 125 random bits in five groups of five letters and digits, "k3m9x-7q2ab-…", none of which
// looks like another. That text, as it was shown, is what everything is derived from. Where the
// server sees what was typed (PLAIN, LOGIN), letters of any case and groups with dashes, with
// spaces or with nothing in between are the same app password. A SCRAM client hashes what was typed
// before the server sees anything of it, so there it has to be typed, or pasted, as it was shown.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/auth/entropy.h"
#include "server/sasl/secret.h"
#include "storage/store.h"

namespace sasld {

// So many of one account at most: a SCRAM proof is tried against each.
inline constexpr size_t kMostAppPasswords = 64;
inline constexpr size_t kAppPasswordKeyBytes = 32;

// A new one, as it is shown. It passes SASLprep unchanged.
Secret GenerateAppPassword(Entropy& entropy);

// An id that no app password of `account` has; neither has any that was revoked, but for a chance
// of 2^-40.
std::string GenerateAppPasswordId(const Account& account, Entropy& entropy);

// The text as it was shown of what somebody typed; nothing if that has not the shape of one. Says
// nothing of whether there is such an app password.
std::optional<Secret> AppPasswordAsShown(std::string_view typed);

// AppPassword::lookup of a text as it was shown.
Secret AppPasswordLookup(const Secret& key, const Secret& as_shown);

// The app password of that lookup; null if there is none. The time depends on how many there are,
// not on which it is.
const AppPassword* FindByLookup(const Account& account, const Secret& lookup);

}  // namespace sasld
