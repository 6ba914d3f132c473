// Between accounts and the contract's UserRecord.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sasld/v1/admin.pb.h"
#include "server/auth/password_hash.h"
#include "server/auth/user_import.h"
#include "storage/store.h"

namespace sasld {

// Everything that is kept of the account; `hasher` knows the secret input of its hash.
void FillRecord(const Account& account, const PasswordHasher& hasher, v1::UserRecord& record);

// InvalidArgument: a name that cannot be one, or a part of no kind that there is.
absl::StatusOr<ImportedUser> ReadRecord(const v1::UserRecord& record);

}  // namespace sasld
