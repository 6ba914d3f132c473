#include "tests/client/saslctl/fake_sasld.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include <string_view>
#include <utility>

namespace sasld::saslctl {
namespace {

constexpr char kSalt[] = "W22ZaJ0SNY7soEsUEjb6gQ==";
constexpr char kServerNonce[] = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr int kIterations = 4096;

unsigned char* Unsigned(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* Unsigned(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Hmac(std::string_view key, std::string_view message) {
  std::string mac(SHA256_DIGEST_LENGTH, '\0');
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Unsigned(message), message.size(),
       Unsigned(mac), nullptr);
  return mac;
}

std::string Base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  text.resize(static_cast<size_t>(
      EVP_EncodeBlock(Unsigned(text), Unsigned(bytes), static_cast<int>(bytes.size()))));
  return text;
}

std::string SaltedPassword(std::string_view password) {
  std::string salt(18, '\0');
  EVP_DecodeBlock(Unsigned(salt), Unsigned(std::string_view(kSalt)), 24);
  salt.resize(16);
  std::string salted(SHA256_DIGEST_LENGTH, '\0');
  PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), Unsigned(salt), 16,
                    kIterations, EVP_sha256(), SHA256_DIGEST_LENGTH, Unsigned(salted));
  return salted;
}

// The attribute "x=…" of a SCRAM message.
std::string Attribute(std::string_view message, std::string_view name) {
  const size_t at = ("," + std::string(message)).find("," + std::string(name) + "=");
  if (at == std::string_view::npos) return "";
  const std::string_view rest = message.substr(at + name.size() + 1);
  return std::string(rest.substr(0, rest.find(',')));
}

v1::StepReply Refusal(v1::Failure::Code code) {
  v1::StepReply reply;
  reply.mutable_failure()->set_code(code);
  reply.mutable_failure()->set_text("authentication failed");
  return reply;
}

v1::StepReply ChallengeWith(const std::string& data, const std::string& state) {
  v1::StepReply reply;
  reply.mutable_challenge()->set_data(data);
  reply.mutable_challenge()->set_state(state);
  return reply;
}

v1::StepReply Welcome(const std::string& name) {
  v1::StepReply reply;
  reply.mutable_success()->set_authcid(name);
  reply.mutable_success()->set_authzid(name);
  return reply;
}

}  // namespace

class FakeSasld::AdminService final : public v1::Admin::Service {
 public:
  explicit AdminService(FakeSasld& fake) : fake_(fake) {}

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

class FakeSasld::SaslService final : public v1::Sasl::Service {
 public:
  explicit SaslService(FakeSasld& fake) : fake_(fake) {}

  grpc::Status Step(grpc::ServerContext*, const v1::StepRequest* request,
                    v1::StepReply* reply) override {
    {
      absl::MutexLock lock(&fake_.mutex_);
      fake_.last_facts_ = request->connection();
    }
    if (fake_.behaviour_.temporary_failures) {
      reply->mutable_temporary()->set_text("the lane is full");
    } else if (request->mechanism() == "PLAIN") {
      *reply = Plain(*request);
    } else if (request->mechanism() == "LOGIN") {
      *reply = Login(*request);
    } else {
      *reply = Scram(*request);
    }
    return grpc::Status::OK;
  }

 private:
  v1::StepReply Decide(const std::string& name, const std::string& password) {
    const std::string right = fake_.PasswordOf(name);
    return !right.empty() && right == password ? Welcome(name)
                                               : Refusal(v1::Failure::AUTHENTICATION_FAILED);
  }

  v1::StepReply Plain(const v1::StepRequest& request) {
    if (!request.connection().secured()) return Refusal(v1::Failure::ENCRYPTION_REQUIRED);
    const std::string& message = request.response();
    const size_t nul = message.find('\0', 1);
    if (message.empty() || message[0] != '\0' || nul == std::string::npos) {
      return Refusal(v1::Failure::MALFORMED);
    }
    return Decide(message.substr(1, nul - 1), message.substr(nul + 1));
  }

  v1::StepReply Login(const v1::StepRequest& request) {
    if (request.state().empty()) {
      return request.has_response() ? Refusal(v1::Failure::MALFORMED)
                                    : ChallengeWith("Username:", "name?");
    }
    if (request.state() == "name?") return ChallengeWith("Password:", request.response());
    return Decide(request.state(), request.response());
  }

  // RFC 5802 as the server sees it, with the password at hand. The state is the two first messages.
  v1::StepReply Scram(const v1::StepRequest& request) {
    const std::string& message = request.response();
    if (request.state().empty()) {
      const std::string bare = message.substr(3);  // after "n,,"
      const std::string server_first = "r=" + Attribute(bare, "r") + kServerNonce + ",s=" + kSalt +
                                       ",i=" + std::to_string(kIterations);
      return ChallengeWith(server_first, bare + "," + server_first);
    }
    const std::string name = Attribute(request.state(), "n");
    const std::string without_proof = message.substr(0, message.rfind(",p="));
    const std::string auth_message = request.state() + "," + without_proof;
    const std::string salted = SaltedPassword(fake_.PasswordOf(name));
    std::string proof = Hmac(salted, "Client Key");
    std::string stored_key(SHA256_DIGEST_LENGTH, '\0');
    SHA256(Unsigned(std::as_const(proof)), proof.size(), Unsigned(stored_key));
    const std::string signature = Hmac(stored_key, auth_message);
    for (size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ signature[i]);
    if (Attribute(message, "p") != Base64(proof)) {
      return Refusal(v1::Failure::AUTHENTICATION_FAILED);
    }
    v1::StepReply reply = Welcome(name);
    const std::string key = fake_.behaviour_.wrong_server_signature ? "Another Key" : "Server Key";
    reply.mutable_success()->set_data("v=" + Base64(Hmac(Hmac(salted, key), auth_message)));
    return reply;
  }

  FakeSasld& fake_;
};

FakeSasld::FakeSasld() {
  std::string folder = (std::filesystem::temp_directory_path() / "saslctl_test.XXXXXX").string();
  folder_ = mkdtemp(folder.data());
  admin_ = std::make_unique<AdminService>(*this);
  sasl_ = std::make_unique<SaslService>(*this);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address(), grpc::InsecureServerCredentials());
  builder.RegisterService(admin_.get());
  builder.RegisterService(sasl_.get());
  server_ = builder.BuildAndStart();
}

FakeSasld::~FakeSasld() {
  server_->Shutdown();
  server_->Wait();
  std::filesystem::remove_all(folder_);
}

void FakeSasld::AddUser(const std::string& name, const std::string& password) {
  v1::CreateUserRequest request;
  request.set_name(name);
  request.set_password(password);
  v1::User reply;
  grpc::ServerContext context;
  admin_->CreateUser(&context, &request, &reply);
}

std::string FakeSasld::PasswordOf(const std::string& name) {
  absl::MutexLock lock(&mutex_);
  const auto found = users_.find(name);
  return found == users_.end() ? "" : found->second.password;
}

bool FakeSasld::IsEnabled(const std::string& name) {
  absl::MutexLock lock(&mutex_);
  const auto found = users_.find(name);
  return found != users_.end() && found->second.user.enabled();
}

v1::ConnectionFacts FakeSasld::last_facts() {
  absl::MutexLock lock(&mutex_);
  return last_facts_;
}

}  // namespace sasld::saslctl
