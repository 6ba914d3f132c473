// Accounts for tests of stores.
#pragma once

#include <string>
#include <string_view>

#include "storage/record_keys.h"
#include "storage/store.h"

namespace sasld {

Username Name(std::string_view name);

// One key, always the same.
const RecordKeys& SampleRecordKeys();

// An account with every field set; `variant` changes all of them but the name.
Account MakeAccount(std::string_view name, int variant = 1);

// A domain with every field set; `variant` changes all of them but the name.
Domain MakeDomain(std::string_view name, int variant = 1);

// One that has neither password hash nor verifiers.
Account MakeBareAccount(std::string_view name);

// Fails the test where a field of `found` is not that of `expected`. The epoch must be `epoch`, in
// the account and in its keys.
void ExpectAccount(const Account& found, const Account& expected, Epoch epoch);

}  // namespace sasld
