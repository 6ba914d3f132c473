// A sasld that fits on a page: Admin and Sasl on a Unix socket, users in a map. It knows passwords
// as they are, so that what saslctl sent can be looked at.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/grpcpp.h"
#include "sasld/v1/admin.grpc.pb.h"
#include "sasld/v1/sasl.grpc.pb.h"

namespace sasld::saslctl {

class FakeUsers;

struct FakeUser {
  v1::User user;
  std::string password;
  v1::ListAppPasswordsReply app_passwords;
};

// How the fake misbehaves; the defaults are a good server.
struct FakeBehaviour {
  grpc::Status every_admin_call;        // an error here is every Admin call's answer
  std::string store_error;              // GetStatusReply.store_error
  uint32_t page_size_most = 1000;       // of ListUsers
  bool temporary_failures = false;      // every step's outcome
  bool wrong_server_signature = false;  // of SCRAM and DIGEST-MD5
  bool never_answers = false;           // Admin calls wait for their deadline
  v1::CalibrateHashReply calibration;
  v1::CalibrateHashRequest calibration_asked;  // what it was asked last
};

// Serves from construction to destruction. Users and behaviour may be changed between calls only.
class FakeSasld {
 public:
  FakeSasld();
  ~FakeSasld();
  FakeSasld(const FakeSasld&) = delete;
  FakeSasld& operator=(const FakeSasld&) = delete;

  // "unix:/tmp/…/admin.sock"
  std::string address() const { return "unix:" + socket_path().string(); }
  std::filesystem::path socket_path() const { return folder_ / "admin.sock"; }
  std::filesystem::path folder() const { return folder_; }

  void AddUser(const std::string& name, const std::string& password);
  // The user's password, "" if there is no such user.
  std::string PasswordOf(const std::string& name);
  bool IsEnabled(const std::string& name);
  FakeBehaviour& behaviour() { return behaviour_; }
  // What was imported; apart from the users above. See fake_users.h.
  FakeUsers& imported();
  // The facts of the last step.
  v1::ConnectionFacts last_facts();
  // The last SetUserRules.
  v1::SetUserRulesRequest last_rules();
  // As GetUser tells it, to be changed between calls.
  v1::User& user(const std::string& name);
  // The app passwords of a user, to be changed between calls.
  v1::ListAppPasswordsReply& app_passwords(const std::string& user);

 private:
  class AdminService;
  class SaslService;
  std::filesystem::path folder_;
  FakeBehaviour behaviour_;
  absl::Mutex mutex_;
  std::map<std::string, FakeUser> users_ ABSL_GUARDED_BY(mutex_);
  v1::SetUserRulesRequest last_rules_ ABSL_GUARDED_BY(mutex_);
  v1::ConnectionFacts last_facts_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<AdminService> admin_;
  std::unique_ptr<SaslService> sasl_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace sasld::saslctl
