#include "server/rpc/admin_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "server/auth/coverage.h"
#include "server/auth/senders.h"
#include "server/rpc/admin_app_passwords.h"
#include "server/rpc/admin_domains.h"
#include "server/rpc/admin_messages.h"
#include "server/rpc/pages.h"
#include "server/rpc/transfer.h"
#include "server/sasl/registry.h"

namespace sasld {
namespace {

absl::Duration DurationOf(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

void SetDuration(absl::Duration duration, google::protobuf::Duration& its) {
  its.set_seconds(absl::ToInt64Seconds(duration));
  its.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(duration - absl::Seconds(its.seconds()))));
}

void SetCost(const Argon2idCost& cost, v1::HashCost& its) {
  its.set_memory_kib(cost.memory_kib);
  its.set_iterations(cost.iterations);
  its.set_parallelism(cost.parallelism);
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

  grpc::Status SetUserRules(grpc::ServerContext*, const v1::SetUserRulesRequest* request,
                            v1::User* reply) override {
    return Changed("rules set", parts_.accounts.SetRules(request->name(), RuleChangesOf(*request)),
                   reply);
  }

  grpc::Status CheckSender(grpc::ServerContext*, const v1::CheckSenderRequest* request,
                           v1::CheckSenderReply* reply) override {
    const absl::StatusOr<Account> account = parts_.accounts.Get(request->name());
    if (account.ok()) reply->set_by(WhySenderOf(*account, request->address()));
    return ToGrpc(account.status());
  }

  grpc::Status AddAppPassword(grpc::ServerContext*, const v1::AddAppPasswordRequest* request,
                              v1::AddAppPasswordReply* reply) override {
    return sasld::AddAppPassword(parts_, *request, *reply);
  }

  grpc::Status ListAppPasswords(grpc::ServerContext*, const v1::ListAppPasswordsRequest* request,
                                v1::ListAppPasswordsReply* reply) override {
    return sasld::ListAppPasswords(parts_, *request, *reply);
  }

  grpc::Status RevokeAppPassword(grpc::ServerContext*, const v1::RevokeAppPasswordRequest* request,
                                 v1::RevokeAppPasswordReply*) override {
    return sasld::RevokeAppPassword(parts_, *request);
  }

  grpc::Status DeleteUser(grpc::ServerContext*, const v1::DeleteUserRequest* request,
                          v1::DeleteUserReply*) override {
    const absl::StatusOr<Username> removed = parts_.accounts.Remove(request->name());
    if (removed.ok()) parts_.log->info("admin user={} deleted", removed->str());
    return ToGrpc(removed.status());
  }

  grpc::Status SetDomain(grpc::ServerContext*, const v1::SetDomainRequest* request,
                         v1::Domain* reply) override {
    return sasld::SetDomain(parts_, *request, *reply);
  }

  grpc::Status GetDomain(grpc::ServerContext*, const v1::GetDomainRequest* request,
                         v1::Domain* reply) override {
    return sasld::GetDomain(parts_, *request, *reply);
  }

  grpc::Status ListDomains(grpc::ServerContext*, const v1::ListDomainsRequest* request,
                           v1::ListDomainsReply* reply) override {
    return sasld::ListDomains(parts_, *request, *reply);
  }

  grpc::Status DeleteDomain(grpc::ServerContext*, const v1::DeleteDomainRequest* request,
                            v1::DeleteDomainReply*) override {
    return sasld::DeleteDomain(parts_, *request);
  }

  grpc::Status GetUser(grpc::ServerContext*, const v1::GetUserRequest* request,
                       v1::User* reply) override {
    const absl::StatusOr<Account> account = parts_.accounts.Get(request->name());
    if (!account.ok()) return ToGrpc(account.status());
    FillUser(*account, *reply);
    FillDefaults(*account, *reply);
    const absl::StatusOr<Uses> uses = parts_.store.UsesOf(account->name);
    if (!uses.ok()) return ToGrpc(uses.status());
    if (const auto own = uses->find(""); own != uses->end()) {
      FillLastUse(own->second, *reply->mutable_last_use());
    }
    return grpc::Status::OK;
  }

  grpc::Status ListUsers(grpc::ServerContext*, const v1::ListUsersRequest* request,
                         v1::ListUsersReply* reply) override {
    return ToGrpc(FillPage(parts_.store,
                           {request->prefix(), request->page_token(),
                            PageSize(request->page_size()), request->domain()},
                           *reply, FillUser));
  }

  grpc::Status ImportUsers(grpc::ServerContext*, const v1::ImportUsersRequest* request,
                           v1::ImportUsersReply* reply) override {
    const absl::Status status =
        sasld::ImportUsers(parts_.user_import, *request, absl::Now(), *reply);
    if (status.ok() && !request->dry_run()) {
      const auto written =
          std::count_if(reply->results().begin(), reply->results().end(), [](const auto& result) {
            return result.outcome() <= v1::ImportUsersReply::Result::REPLACED;
          });
      parts_.log->info("admin imported {} of {} users", written, request->users_size());
    }
    return ToGrpc(status);
  }

  grpc::Status ExportUsers(grpc::ServerContext*, const v1::ExportUsersRequest* request,
                           v1::ExportUsersReply* reply) override {
    const absl::Status status =
        sasld::ExportUsers(parts_.store, parts_.accounts.hasher(), *request, *reply);
    if (status.ok()) parts_.log->info("admin exported {} users", reply->users_size());
    return ToGrpc(status);
  }

  grpc::Status GetMechanismCoverage(grpc::ServerContext* context,
                                    const v1::GetMechanismCoverageRequest*,
                                    v1::GetMechanismCoverageReply* reply) override {
    const absl::StatusOr<Coverage> coverage =
        CoverageOf(parts_.store, [context] { return context->IsCancelled(); });
    if (!coverage.ok()) return ToGrpc(coverage.status());
    const std::vector<const RegisteredMechanism*> enabled = parts_.exchange.Enabled();
    reply->set_users(coverage->users);
    for (const RegisteredMechanism& mechanism : AllMechanisms()) {
      const auto users = coverage->users_of.find(mechanism.name);
      if (users == coverage->users_of.end()) continue;
      v1::MechanismCoverage& one = *reply->add_mechanisms();
      one.set_name(std::string(mechanism.name));
      one.set_enabled(std::find(enabled.begin(), enabled.end(), &mechanism) != enabled.end());
      one.set_users(users->second);
    }
    return grpc::Status::OK;
  }

  grpc::Status ListKeys(grpc::ServerContext*, const v1::ListKeysRequest*,
                        v1::ListKeysReply* reply) override {
    const absl::StatusOr<std::vector<KeyRotation::Key>> keys = parts_.key_rotation.Keys();
    if (!keys.ok()) return ToGrpc(keys.status());
    for (const KeyRotation::Key& key : *keys) {
      v1::Key& one = *reply->add_keys();
      one.set_id(key.id);
      one.set_current(key.current);
      one.set_users(key.users);
    }
    reply->set_resealing(parts_.key_rotation.Running());
    return grpc::Status::OK;
  }

  grpc::Status RotateKey(grpc::ServerContext*, const v1::RotateKeyRequest*,
                         v1::RotateKeyReply* reply) override {
    const absl::StatusOr<uint32_t> id = parts_.key_rotation.Rotate();
    if (id.ok()) reply->set_id(*id);
    return ToGrpc(id.status());
  }

  grpc::Status RetireKey(grpc::ServerContext*, const v1::RetireKeyRequest* request,
                         v1::RetireKeyReply*) override {
    return ToGrpc(parts_.key_rotation.Retire(request->id()));
  }

  grpc::Status BackUp(grpc::ServerContext* context, const v1::BackUpRequest* request,
                      grpc::ServerWriter<v1::BackUpProgress>* writer) override {
    uint64_t told = 0;
    const auto watch = [&](const BackupProgress& progress) {
      if (context->IsCancelled()) return false;
      // A message for each hundredth.
      const uint64_t now = 100 * progress.done / std::max<uint64_t>(progress.total, 1);
      if (now == std::exchange(told, now)) return true;
      v1::BackUpProgress message;
      message.set_checking(progress.checking);
      message.set_done(progress.done);
      message.set_total(progress.total);
      return writer->Write(message);
    };
    const absl::StatusOr<uint64_t> users = parts_.store.BackUp(request->path(), watch);
    if (!users.ok()) return ToGrpc(users.status());
    parts_.log->info("admin backup to {}, {} users", request->path(), *users);
    v1::BackUpProgress message;
    message.set_complete(true);
    message.set_users(*users);
    writer->Write(message);
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
    for (const RegisteredMechanism* mechanism : parts_.exchange.Enabled()) {
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

  grpc::Status CalibrateHash(grpc::ServerContext* context, const v1::CalibrateHashRequest* request,
                             v1::CalibrateHashReply* reply) override {
    const absl::StatusOr<CalibrationResult> result =
        parts_.calibration.Run({DurationOf(request->target()), size_t{request->memory_mib()} << 20},
                               [context] { return context->IsCancelled(); });
    if (!result.ok()) return ToGrpc(result.status());
    for (const MeasuredCost& measured : result->measured) {
      v1::MeasuredHash& its = *reply->add_measured();
      SetCost(measured.cost, *its.mutable_cost());
      SetDuration(measured.median, *its.mutable_median());
      its.set_threads(static_cast<uint32_t>(measured.threads));
      its.set_hashes_per_second(measured.hashes_per_second);
    }
    SetCost(result->measured[result->proposed].cost, *reply->mutable_proposed());
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
