// The Admin service's calls about app passwords.
#pragma once

#include "server/rpc/admin_service.h"

namespace sasld {

grpc::Status AddAppPassword(const AdminParts& parts, const v1::AddAppPasswordRequest& request,
                            v1::AddAppPasswordReply& reply);
grpc::Status ListAppPasswords(const AdminParts& parts, const v1::ListAppPasswordsRequest& request,
                              v1::ListAppPasswordsReply& reply);
grpc::Status RevokeAppPassword(const AdminParts& parts,
                               const v1::RevokeAppPasswordRequest& request);

}  // namespace sasld
