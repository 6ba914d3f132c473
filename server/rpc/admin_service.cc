#include "server/rpc/admin_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"

namespace sasld {
namespace {

constexpr uint32_t kDefaultPage = 1000;
constexpr uint32_t kMaxPage = 10000;

// absl::Status and grpc::Status number their codes alike, by design.
grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

void SetTime(absl::Time time, google::protobuf::Timestamp& timestamp) {
  timestamp.set_seconds(absl::ToUnixSeconds(time));
}

void FillUser(const Account& account, v1::User& user) {
  user.set_name(account.name.str());
  user.set_enabled(account.enabled);
  user.set_epoch(account.epoch);
  SetTime(account.created, *user.mutable_created());
  SetTime(account.password_changed, *user.mutable_password_changed());
  if (account.credential.scram_sha_256) user.add_mechanisms("SCRAM-SHA-256");
  if (!account.credential.argon2id.empty()) {
    user.add_mechanisms("PLAIN");
    user.add_mechanisms("LOGIN");
  }
}

class AdminService final : public v1::Admin::Service {
 public:
  explicit AdminService(AdminParts parts) : parts_(std::move(parts)) {}

  grpc::Status CreateUser(grpc::ServerContext*, const v1::CreateUserRequest* request,
                          v1::User* reply) override {
    return Changed("created",
                   parts_.accounts.Create(request->name(), request->password(),
                                          !request->disabled(), absl::Now()),
                   reply);
  }

  grpc::Status SetPassword(grpc::ServerContext*, const v1::SetPasswordRequest* request,
                           v1::User* reply) override {
    return Changed("password set",
                   parts_.accounts.SetPassword(request->name(), request->password(), absl::Now()),
                   reply);
  }

  grpc::Status SetUserEnabled(grpc::ServerContext*, const v1::SetUserEnabledRequest* request,
                              v1::User* reply) override {
    return Changed(request->enabled() ? "enabled" : "disabled",
                   parts_.accounts.SetEnabled(request->name(), request->enabled()), reply);
  }

  grpc::Status DeleteUser(grpc::ServerContext*, const v1::DeleteUserRequest* request,
                          v1::DeleteUserReply*) override {
    const absl::StatusOr<Username> removed = parts_.accounts.Remove(request->name());
    if (removed.ok()) parts_.log->info("admin user={} deleted", removed->str());
    return ToGrpc(removed.status());
  }

  grpc::Status GetUser(grpc::ServerContext*, const v1::GetUserRequest* request,
                       v1::User* reply) override {
    const absl::StatusOr<Account> account = parts_.accounts.Get(request->name());
    if (account.ok()) FillUser(*account, *reply);
    return ToGrpc(account.status());
  }

  grpc::Status ListUsers(grpc::ServerContext*, const v1::ListUsersRequest* request,
                         v1::ListUsersReply* reply) override {
    const uint32_t wanted = request->page_size() == 0 ? kDefaultPage : request->page_size();
    const size_t page = std::min(wanted, kMaxPage);
    // One more than asked for tells whether there is another page.
    const absl::StatusOr<std::vector<Account>> accounts =
        parts_.store.List({request->prefix(), request->page_token(), page + 1});
    if (!accounts.ok()) return ToGrpc(accounts.status());
    for (const Account& account : *accounts) {
      if (static_cast<size_t>(reply->users_size()) == page) {
        reply->set_next_page_token(reply->users(reply->users_size() - 1).name());
        break;
      }
      FillUser(account, *reply->add_users());
    }
    return grpc::Status::OK;
  }

  grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*,
                         v1::GetStatusReply* reply) override {
    reply->set_version(SASLD_VERSION);
    SetTime(parts_.started, *reply->mutable_started());
    reply->set_store_url(parts_.store_url);
    if (const absl::StatusOr<uint64_t> users = parts_.store.Count(); users.ok()) {
      reply->set_users(*users);
    } else {
      reply->set_store_error(std::string(users.status().message()));
    }
    for (const RegisteredMechanism* mechanism : parts_.exchange.Offered(nullptr)) {
      reply->add_mechanisms(std::string(mechanism->name));
    }
    reply->set_lane_threads(static_cast<uint32_t>(parts_.lane.limits().threads));
    reply->set_lane_capacity(static_cast<uint32_t>(parts_.lane.limits().queued));
    reply->set_lane_queued(static_cast<uint32_t>(parts_.lane.Queued()));
    const Audit::Counts counts = parts_.audit.counts();
    reply->set_successes(counts.granted);
    reply->set_failures(counts.refused);
    reply->set_temporary_failures(counts.undecided);
    return grpc::Status::OK;
  }

 private:
  grpc::Status Changed(std::string_view what, const absl::StatusOr<Account>& account,
                       v1::User* reply) {
    if (account.ok()) {
      FillUser(*account, *reply);
      parts_.log->info("admin user={} {}", account->name.str(), what);
    }
    return ToGrpc(account.status());
  }

  const AdminParts parts_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAdminService(AdminParts parts) {
  return std::make_unique<AdminService>(std::move(parts));
}

}  // namespace sasld
