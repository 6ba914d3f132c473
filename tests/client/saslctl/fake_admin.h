// The Admin service of the fake sasld.
#pragma once

#include <algorithm>
#include <string>

#include "tests/client/saslctl/fake_sasld.h"
#include "tests/client/saslctl/fake_users.h"

namespace sasld::saslctl {

class FakeSasld::AdminService final : public FakeUsers {
 public:
  explicit AdminService(FakeSasld& fake) : fake_(fake) {}

  // Of what there is no file; who asks for /taken.db has one.
  grpc::Status BackUp(grpc::ServerContext*, const v1::BackUpRequest* request,
                      grpc::ServerWriter<v1::BackUpProgress>* writer) override {
    if (request->path() == "/taken.db") {
      return {grpc::StatusCode::ALREADY_EXISTS, "/taken.db: there is such a file"};
    }
    v1::BackUpProgress progress;
    progress.set_done(5);
    progress.set_total(10);
    writer->Write(progress);
    if (request->path() == "/cut-short.db") return grpc::Status::OK;
    progress.set_complete(true);
    progress.set_users(42);
    writer->Write(progress);
    return grpc::Status::OK;
  }

  grpc::Status CreateUser(grpc::ServerContext* context, const v1::CreateUserRequest* request,
                          v1::User* reply) override {
    return Guarded(context, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(fake_.mutex_) {
      if (request->password() == "short") {
        return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "password: too short");
      }
      if (fake_.users_.contains(request->name())) {
        return grpc::Status(grpc::StatusCode::ALREADY_EXISTS, "there is such a user");
      }
      FakeUser& user = fake_.users_[request->name()];
      user.password = request->password();
      user.user.set_name(request->name());
      user.user.set_enabled(!request->disabled());
      user.user.set_epoch(fake_.users_.size());
      user.user.mutable_created()->set_seconds(1'000'000'000);
      user.user.mutable_password_changed()->set_seconds(1'000'000'001);
      user.user.add_mechanisms("SCRAM-SHA-256");
      user.user.add_mechanisms("PLAIN");
      *reply = user.user;
      return grpc::Status::OK;
    });
  }

  grpc::Status SetPassword(grpc::ServerContext* context, const v1::SetPasswordRequest* request,
                           v1::User* reply) override {
    return WithUser(context, request->name(), [&](FakeUser& user) {
      user.password = request->password();
      *reply = user.user;
    });
  }

  grpc::Status GetUser(grpc::ServerContext* context, const v1::GetUserRequest* request,
                       v1::User* reply) override {
    return WithUser(context, request->name(), [&](FakeUser& user) { *reply = user.user; });
  }

  grpc::Status SetUserEnabled(grpc::ServerContext* context,
                              const v1::SetUserEnabledRequest* request, v1::User* reply) override {
    return WithUser(context, request->name(), [&](FakeUser& user) {
      user.user.set_enabled(request->enabled());
      *reply = user.user;
    });
  }

  grpc::Status SetUserRules(grpc::ServerContext* context, const v1::SetUserRulesRequest* request,
                            v1::User* reply) override {
    return WithUser(context, request->name(),
                    [&](FakeUser& user) ABSL_EXCLUSIVE_LOCKS_REQUIRED(fake_.mutex_) {
                      fake_.last_rules_ = *request;
                      v1::UserRules& rules = *user.user.mutable_rules();
                      if (request->has_send_only()) rules.set_send_only(request->send_only());
                      if (request->has_expires()) *rules.mutable_expires() = request->expires();
                      if (request->has_services()) {
                        *rules.mutable_access()->mutable_services() = request->services().names();
                      }
                      *reply = user.user;
                    });
  }

  // All of example.org is everybody's.
  grpc::Status CheckSender(grpc::ServerContext* context, const v1::CheckSenderRequest* request,
                           v1::CheckSenderReply* reply) override {
    return WithUser(context, request->name(), [&](FakeUser&) {
      if (request->address().ends_with("@example.org")) reply->set_by("@example.org");
    });
  }

  grpc::Status AddAppPassword(grpc::ServerContext* context,
                              const v1::AddAppPasswordRequest* request,
                              v1::AddAppPasswordReply* reply) override {
    return WithUser(context, request->name(), [&](FakeUser& user) {
      v1::AppPassword& one = *user.app_passwords.add_app_passwords();
      one.set_id("id" + std::to_string(user.app_passwords.app_passwords_size()));
      one.set_label(request->label());
      one.mutable_created()->set_seconds(1'000'000'000);
      *one.mutable_access() = request->access();
      if (request->has_expires()) *one.mutable_expires() = request->expires();
      *reply->mutable_app_password() = one;
      reply->set_password("aaaaa-bbbbb-ccccc-ddddd-eeeee");
    });
  }

  grpc::Status ListAppPasswords(grpc::ServerContext* context,
                                const v1::ListAppPasswordsRequest* request,
                                v1::ListAppPasswordsReply* reply) override {
    return WithUser(context, request->name(), [&](FakeUser& user) { *reply = user.app_passwords; });
  }

  grpc::Status RevokeAppPassword(grpc::ServerContext* context,
                                 const v1::RevokeAppPasswordRequest* request,
                                 v1::RevokeAppPasswordReply*) override {
    bool found = false;
    const grpc::Status status = WithUser(context, request->name(), [&](FakeUser& user) {
      auto& all = *user.app_passwords.mutable_app_passwords();
      const auto kept = std::remove_if(all.begin(), all.end(), [&](const v1::AppPassword& one) {
        return one.id() == request->id();
      });
      found = kept != all.end();
      all.erase(kept, all.end());
    });
    if (!status.ok() || found) return status;
    return {grpc::StatusCode::NOT_FOUND, "no app password of this id"};
  }

  grpc::Status DeleteUser(grpc::ServerContext* context, const v1::DeleteUserRequest* request,
                          v1::DeleteUserReply*) override {
    return Guarded(context, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(fake_.mutex_) {
      return fake_.users_.erase(request->name()) == 1
                 ? grpc::Status::OK
                 : grpc::Status(grpc::StatusCode::NOT_FOUND, "no such user");
    });
  }

  grpc::Status ListUsers(grpc::ServerContext* context, const v1::ListUsersRequest* request,
                         v1::ListUsersReply* reply) override {
    return Guarded(context, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(fake_.mutex_) {
      const uint32_t most = std::min(request->page_size(), fake_.behaviour_.page_size_most);
      auto next = fake_.users_.upper_bound(request->page_token());
      for (; next != fake_.users_.end(); ++next) {
        if (!next->first.starts_with(request->prefix())) continue;
        const std::string& domain = request->domain();
        if (!domain.empty() && !next->first.ends_with("@" + domain)) continue;
        if (static_cast<uint32_t>(reply->users_size()) == most) {
          reply->set_next_page_token(reply->users().rbegin()->name());
          break;
        }
        *reply->add_users() = next->second.user;
      }
      return grpc::Status::OK;
    });
  }

  grpc::Status GetStatus(grpc::ServerContext* context, const v1::GetStatusRequest*,
                         v1::GetStatusReply* reply) override {
    return Guarded(context, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(fake_.mutex_) {
      reply->set_version("9.8.7");
      reply->mutable_started()->set_seconds(1'700'000'000);
      reply->set_store_url("memory:");
      reply->set_store_error(fake_.behaviour_.store_error);
      reply->set_users(fake_.users_.size());
      reply->add_mechanisms("SCRAM-SHA-256");
      reply->set_lane_threads(2);
      reply->set_lane_capacity(64);
      reply->set_successes(5);
      return grpc::Status::OK;
    });
  }

  grpc::Status CalibrateHash(grpc::ServerContext* context, const v1::CalibrateHashRequest* request,
                             v1::CalibrateHashReply* reply) override {
    return Guarded(context, [&] {
      fake_.behaviour_.calibration_asked = *request;
      *reply = fake_.behaviour_.calibration;
      return grpc::Status::OK;
    });
  }

 private:
  template <class Work>
  grpc::Status Guarded(grpc::ServerContext* context, Work work) {
    while (fake_.behaviour_.never_answers && !context->IsCancelled())
      absl::SleepFor(absl::Milliseconds(5));
    if (!fake_.behaviour_.every_admin_call.ok()) return fake_.behaviour_.every_admin_call;
    absl::MutexLock lock(&fake_.mutex_);
    return work();
  }

  template <class Work>
  grpc::Status WithUser(grpc::ServerContext* context, const std::string& name, Work work) {
    return Guarded(context, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(fake_.mutex_) {
      const auto found = fake_.users_.find(name);
      if (found == fake_.users_.end()) {
        return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such user");
      }
      work(found->second);
      return grpc::Status::OK;
    });
  }

  FakeSasld& fake_;
};

}  // namespace sasld::saslctl
