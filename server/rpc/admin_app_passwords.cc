#include "server/rpc/admin_app_passwords.h"

#include <spdlog/spdlog.h>

#include "absl/time/clock.h"
#include "server/rpc/admin_messages.h"

namespace sasld {

grpc::Status AddAppPassword(const AdminParts& parts, const v1::AddAppPasswordRequest& request,
                            v1::AddAppPasswordReply& reply) {
  NewAppPassword wanted{request.label(), AccessOf(request.access())};
  if (request.has_expires()) wanted.expires = TimeOf(request.expires());
  const absl::StatusOr<AddedAppPassword> added =
      parts.accounts.AddAppPassword(request.name(), wanted, absl::Now());
  if (!added.ok()) return ToGrpc(added.status());
  FillAppPassword(added->account.app_passwords.back(), {}, *reply.mutable_app_password());
  reply.mutable_password()->append(added->text.Reveal());
  parts.log->info("admin user={} app password {} added", added->account.name.str(), added->id);
  return grpc::Status::OK;
}

grpc::Status ListAppPasswords(const AdminParts& parts, const v1::ListAppPasswordsRequest& request,
                              v1::ListAppPasswordsReply& reply) {
  const absl::StatusOr<Account> account = parts.accounts.Get(request.name());
  if (!account.ok()) return ToGrpc(account.status());
  const absl::StatusOr<Uses> uses = parts.store.UsesOf(account->name);
  if (!uses.ok()) return ToGrpc(uses.status());
  for (const AppPassword& one : account->app_passwords) {
    FillAppPassword(one, *uses, *reply.add_app_passwords());
  }
  return grpc::Status::OK;
}

grpc::Status RevokeAppPassword(const AdminParts& parts,
                               const v1::RevokeAppPasswordRequest& request) {
  const absl::StatusOr<Account> account =
      parts.accounts.RevokeAppPassword(request.name(), request.id());
  if (!account.ok()) return ToGrpc(account.status());
  parts.log->info("admin user={} app password {} revoked", account->name.str(), request.id());
  return grpc::Status::OK;
}

}  // namespace sasld
