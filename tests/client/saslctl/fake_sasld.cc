#include "tests/client/saslctl/fake_sasld.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include <string_view>
#include <utility>

#include "tests/client/saslctl/fake_admin.h"

namespace sasld::saslctl {
namespace {

constexpr char kSalt[] = "W22ZaJ0SNY7soEsUEjb6gQ==";
constexpr char kServerNonce[] = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr int kIterations = 4096;

unsigned char* Unsigned(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* Unsigned(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Hmac(const EVP_MD* hash, std::string_view key, std::string_view message) {
  std::string mac(static_cast<size_t>(EVP_MD_get_size(hash)), '\0');
  HMAC(hash, key.data(), static_cast<int>(key.size()), Unsigned(message), message.size(),
       Unsigned(mac), nullptr);
  return mac;
}

std::string Base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  text.resize(static_cast<size_t>(
      EVP_EncodeBlock(Unsigned(text), Unsigned(bytes), static_cast<int>(bytes.size()))));
  return text;
}

std::string Digest(const EVP_MD* hash, std::string_view message) {
  std::string digest(static_cast<size_t>(EVP_MD_get_size(hash)), '\0');
  EVP_Digest(message.data(), message.size(), Unsigned(digest), nullptr, hash, nullptr);
  return digest;
}

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) {
    for (const int digit : {(c >> 4) & 15, c & 15}) hex += "0123456789abcdef"[digit];
  }
  return hex;
}

// The hash of "SCRAM-SHA-256" and the like, by the name that OpenSSL has for it.
const EVP_MD* HashOf(const std::string& mechanism) {
  const std::string name = mechanism.substr(std::string_view("SCRAM-").size());
  return EVP_get_digestbyname((name == "SHA-1"      ? "SHA1"
                               : name == "SHA3-512" ? name
                                                    : "SHA" + name.substr(4))
                                  .c_str());
}

std::string SaltedPassword(const EVP_MD* hash, std::string_view password) {
  std::string salt(18, '\0');
  EVP_DecodeBlock(Unsigned(salt), Unsigned(std::string_view(kSalt)), 24);
  salt.resize(16);
  std::string salted(static_cast<size_t>(EVP_MD_get_size(hash)), '\0');
  PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), Unsigned(salt), 16,
                    kIterations, hash, static_cast<int>(salted.size()), Unsigned(salted));
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
    } else if (request->mechanism() == "CRAM-MD5") {
      *reply = CramMd5(*request);
    } else if (request->mechanism() == "DIGEST-MD5") {
      *reply = DigestMd5(*request);
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
    const EVP_MD* hash = HashOf(request.mechanism());
    const std::string salted = SaltedPassword(hash, fake_.PasswordOf(name));
    std::string proof = Hmac(hash, salted, "Client Key");
    const std::string signature = Hmac(hash, Digest(hash, proof), auth_message);
    for (size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ signature[i]);
    if (Attribute(message, "p") != Base64(proof)) {
      return Refusal(v1::Failure::AUTHENTICATION_FAILED);
    }
    v1::StepReply reply = Welcome(name);
    const std::string key = fake_.behaviour_.wrong_server_signature ? "Another Key" : "Server Key";
    reply.mutable_success()->set_data("v=" +
                                      Base64(Hmac(hash, Hmac(hash, salted, key), auth_message)));
    return reply;
  }

  v1::StepReply CramMd5(const v1::StepRequest& request) {
    const std::string challenge = "<1896.697170952@postoffice.example>";
    if (request.state().empty()) return ChallengeWith(challenge, "challenged");
    const std::string& message = request.response();
    const std::string name = message.substr(0, message.rfind(' '));
    const std::string digest = Hex(Hmac(EVP_md5(), fake_.PasswordOf(name), challenge));
    return message == name + " " + digest ? Welcome(name)
                                          : Refusal(v1::Failure::AUTHENTICATION_FAILED);
  }

  // RFC 2831 with values that hold no comma.
  v1::StepReply DigestMd5(const v1::StepRequest& request) {
    if (request.state().empty()) {
      return ChallengeWith(
          "realm=\"example.org\",nonce=\"nnn\",qop=\"auth\",charset=utf-8,algorithm=md5-sess",
          "challenged");
    }
    const std::string& message = request.response();
    const auto value = [&message](std::string_view name) {
      const std::string raw = Attribute(message, name);
      return raw.starts_with('"') ? raw.substr(1, raw.size() - 2) : raw;
    };
    const auto hex = [](std::string_view text) { return Hex(Digest(EVP_md5(), text)); };
    const std::string name = value("username");
    const std::string ha1 = Digest(EVP_md5(), name + ":example.org:" + fake_.PasswordOf(name));
    const std::string session =
        hex(ha1 + ":nnn:" + value("cnonce")) + ":nnn:00000001:" + value("cnonce") + ":auth:";
    const std::string uri = ":" + value("digest-uri");
    if (value("digest-uri") != request.connection().service() + "/example.org" ||
        value("response") != hex(session + hex("AUTHENTICATE" + uri))) {
      return Refusal(v1::Failure::AUTHENTICATION_FAILED);
    }
    v1::StepReply reply = Welcome(name);
    reply.mutable_success()->set_data(
        "rspauth=" + hex(session + hex(fake_.behaviour_.wrong_server_signature ? "x" : uri)));
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

FakeUsers& FakeSasld::imported() { return *admin_; }

v1::ConnectionFacts FakeSasld::last_facts() {
  absl::MutexLock lock(&mutex_);
  return last_facts_;
}

v1::SetUserRulesRequest FakeSasld::last_rules() {
  absl::MutexLock lock(&mutex_);
  return last_rules_;
}

v1::User& FakeSasld::user(const std::string& name) {
  absl::MutexLock lock(&mutex_);
  return users_.at(name).user;
}

v1::ListAppPasswordsReply& FakeSasld::app_passwords(const std::string& user) {
  absl::MutexLock lock(&mutex_);
  return users_.at(user).app_passwords;
}

}  // namespace sasld::saslctl
