// The calls that move users in and out as a whole.
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "sasld/v1/admin.pb.h"
#include "server/auth/password_hash.h"
#include "server/auth/user_import.h"
#include "storage/store.h"

namespace sasld {

// InvalidArgument: more users than one request may have. Else as UserImport::Import.
absl::Status ImportUsers(UserImport& import, const v1::ImportUsersRequest& request, absl::Time now,
                         v1::ImportUsersReply& reply);

absl::Status ExportUsers(const Store& store, const PasswordHasher& hasher,
                         const v1::ExportUsersRequest& request, v1::ExportUsersReply& reply);

}  // namespace sasld
