#include "server/rpc/admin_service.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <map>

#include "sasld/v1/admin.grpc.pb.h"
#include "tests/server/auth/parts.h"

namespace sasld {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class AdminServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    service = MakeAdminService({parts.accounts, parts.store, key_rotation, user_import,
                                parts.exchange, parts.lane, parts.audit, "memory:", kNow, parts.log,
                                calibration, parts.domains});
    grpc::ServerBuilder builder;
    builder.RegisterService(service.get());
    server = builder.BuildAndStart();
    stub = v1::Admin::NewStub(server->InProcessChannel({}));
  }
  void TearDown() override { server->Shutdown(); }

  static ExchangePolicy Policy() {
    ExchangePolicy policy;
    policy.mechanisms = {"SCRAM-SHA-256-PLUS", "EXTERNAL", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"};
    return policy;
  }
  std::vector<std::string> MechanismsOf(const std::string& name) {
    grpc::ClientContext context;
    v1::GetUserRequest request;
    request.set_name(name);
    v1::User user;
    EXPECT_TRUE(stub->GetUser(&context, request, &user).ok());
    return {user.mechanisms().begin(), user.mechanisms().end()};
  }

  Parts parts{{1, 64, 64}, Policy()};
  RecordKeys record_keys;
  UserImport user_import{parts.store, parts.deriver, parts.lane};
  KeyRotation key_rotation{parts.store,    record_keys,   parts.hasher,
                           "/nonexistent", parts.entropy, parts.log};
  absl::Time clock = kNow;  // read by the lane's thread, and by the call's while that does nothing
  Calibration calibration{parts.hasher, parts.lane, {size_t{32} << 20, 2}, [this] {
                            return clock += absl::Milliseconds(40);
                          }};
  std::unique_ptr<grpc::Service> service;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<v1::Admin::Stub> stub;
};

TEST_F(AdminServiceTest, AUsersMechanismsAreThoseOfItsVerifiers) {
  parts.MustCreate("ann", "secret");
  EXPECT_THAT(MechanismsOf("ann"), ElementsAre("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS",
                                               "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"));
  // Whatever is switched on now: what was stored counts.
  parts.deriver.Adopt(DerivationPlan::For({"SCRAM-SHA3-512", "CRAM-MD5"}, 4096, ""));
  EXPECT_THAT(MechanismsOf("ann"), ElementsAre("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS",
                                               "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"));
  parts.MustCreate("ben", "secret");
  EXPECT_THAT(MechanismsOf("ben"),
              ElementsAre("SCRAM-SHA3-512-PLUS", "SCRAM-SHA3-512", "CRAM-MD5", "PLAIN", "LOGIN"));
  parts.deriver.Adopt(DerivationPlan::For({"DIGEST-MD5"}, 4096, "example.org"));
  parts.MustCreate("cat", "secret");
  EXPECT_THAT(MechanismsOf("cat"), ElementsAre("DIGEST-MD5", "PLAIN", "LOGIN"));
  ASSERT_TRUE(parts.store.Create({Username::Prepare("dan").value(), true, 0, kNow, kNow, {}}).ok());
  EXPECT_THAT(MechanismsOf("dan"), IsEmpty());
}

TEST_F(AdminServiceTest, TheStatusHasAllThatIsSwitchedOn) {
  grpc::ClientContext context;
  v1::GetStatusReply status;
  ASSERT_TRUE(stub->GetStatus(&context, {}, &status).ok());
  EXPECT_THAT(status.mechanisms(), ElementsAre("SCRAM-SHA-256-PLUS", "EXTERNAL", "SCRAM-SHA-256",
                                               "SCRAM-SHA-1", "PLAIN"));
}

TEST_F(AdminServiceTest, CalibrationTellsWhatWasMeasured) {
  grpc::ClientContext context;
  v1::CalibrateHashRequest request;
  request.mutable_target()->set_nanos(30'000'000);
  v1::CalibrateHashReply reply;
  ASSERT_TRUE(stub->CalibrateHash(&context, request, &reply).ok());
  ASSERT_EQ(reply.measured_size(), 1);
  EXPECT_EQ(reply.measured(0).median().nanos(), 40'000'000);
  EXPECT_EQ(reply.measured(0).threads(), 1u);
  EXPECT_DOUBLE_EQ(reply.measured(0).hashes_per_second(), 25);
  EXPECT_EQ(reply.proposed().memory_kib(), 19456u);
  EXPECT_EQ(reply.proposed().iterations(), 2u);
  EXPECT_EQ(reply.proposed().parallelism(), 1u);
}

TEST_F(AdminServiceTest, CalibrationNamesWhatIsWrong) {
  const auto refusal = [this](int nanos, uint32_t memory_mib) {
    grpc::ClientContext context;
    v1::CalibrateHashRequest request;
    request.mutable_target()->set_nanos(nanos);
    request.set_memory_mib(memory_mib);
    v1::CalibrateHashReply reply;
    const grpc::Status status = stub->CalibrateHash(&context, request, &reply);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return status.error_message();
  };
  EXPECT_THAT(refusal(0, 0), HasSubstr("target"));
  EXPECT_THAT(refusal(50'000'000, 33), HasSubstr("memory"));
  EXPECT_THAT(refusal(50'000'000, 18), HasSubstr("memory"));
}

TEST_F(AdminServiceTest, ChangesAreLoggedWithoutThePassword) {
  grpc::ClientContext context;
  v1::CreateUserRequest request;
  request.set_name("Ann");
  request.set_password("hunter2");
  v1::User user;
  ASSERT_TRUE(stub->CreateUser(&context, request, &user).ok());
  EXPECT_EQ(user.name(), "ann");
  EXPECT_THAT(parts.log_text.str(), HasSubstr("admin user=ann created"));
  EXPECT_THAT(parts.log_text.str() + user.DebugString(), Not(HasSubstr("hunter2")));
}

class DomainsOverRpc : public AdminServiceTest {
 protected:
  v1::Domain Set(const v1::SetDomainRequest& request) {
    grpc::ClientContext context;
    v1::Domain domain;
    const grpc::Status status = stub->SetDomain(&context, request, &domain);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return domain;
  }
  v1::Domain Set(const std::string& name) {
    v1::SetDomainRequest request;
    request.set_name(name);
    return Set(request);
  }
  grpc::Status Get(const std::string& name, v1::Domain* domain) {
    grpc::ClientContext context;
    v1::GetDomainRequest request;
    request.set_name(name);
    return stub->GetDomain(&context, request, domain);
  }
  grpc::Status Delete(const std::string& name) {
    grpc::ClientContext context;
    v1::DeleteDomainRequest request;
    request.set_name(name);
    v1::DeleteDomainReply reply;
    return stub->DeleteDomain(&context, request, &reply);
  }
};

TEST_F(DomainsOverRpc, AreSetByWhatTheRequestHas) {
  v1::SetDomainRequest request;
  request.set_name("Example.org");
  request.set_require_app_password(true);
  request.mutable_services()->add_names("submission");
  (*request.mutable_attributes())["home"] = "/srv/%d/%n";
  v1::Domain domain = Set(request);
  EXPECT_EQ(domain.name(), "example.org");
  EXPECT_TRUE(domain.enabled() && domain.require_app_password() && !domain.send_only());
  EXPECT_THAT(domain.access().services(), ElementsAre("smtp"));
  EXPECT_THAT(parts.log_text.str(), HasSubstr("admin domain=example.org set"));
  request.Clear();
  request.set_name("example.org");
  request.set_enabled(false);
  request.mutable_services();  // an empty one
  request.add_attributes_to_take_away("home");
  domain = Set(request);
  EXPECT_TRUE(!domain.enabled() && domain.require_app_password());
  EXPECT_THAT(domain.access().services(), IsEmpty());
  EXPECT_TRUE(domain.attributes().empty());
  v1::Domain got;
  ASSERT_TRUE(Get("EXAMPLE.org", &got).ok());
  EXPECT_EQ(got.DebugString(), domain.DebugString());
}

TEST_F(DomainsOverRpc, AreShownWithAUser) {
  parts.MustCreate("ann@example.org", "secret");
  v1::SetDomainRequest request;
  request.set_name("example.org");
  request.set_enabled(false);
  (*request.mutable_attributes())["home"] = "/srv/%d/%n";
  Set(request);
  grpc::ClientContext context;
  v1::GetUserRequest get;
  get.set_name("ann@example.org");
  v1::User user;
  ASSERT_TRUE(stub->GetUser(&context, get, &user).ok());
  EXPECT_TRUE(user.enabled());
  ASSERT_TRUE(user.has_domain());
  EXPECT_FALSE(user.domain().enabled());
  ASSERT_EQ(user.effective_attributes_size(), 1);
  EXPECT_EQ(user.effective_attributes(0).value(), "/srv/example.org/ann");
  EXPECT_TRUE(user.effective_attributes(0).from_domain());
}

TEST_F(DomainsOverRpc, AreListedInPagesAndDeleted) {
  for (const char* name : {"c.example", "a.example", "b.example"}) Set(name);
  v1::ListDomainsRequest request;
  request.set_page_size(2);
  std::vector<std::string> names;
  std::vector<int> pages;
  do {
    grpc::ClientContext context;
    v1::ListDomainsReply reply;
    ASSERT_TRUE(stub->ListDomains(&context, request, &reply).ok());
    for (const v1::Domain& domain : reply.domains()) names.push_back(domain.name());
    pages.push_back(reply.domains_size());
    request.set_page_token(reply.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(names, ElementsAre("a.example", "b.example", "c.example"));
  EXPECT_THAT(pages, ElementsAre(2, 1));
  EXPECT_TRUE(Delete("A.example").ok());
  EXPECT_EQ(Delete("a.example").error_code(), grpc::StatusCode::NOT_FOUND);
  v1::Domain domain;
  EXPECT_EQ(Get("a.example", &domain).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Get("ann@a.example", &domain).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(AdminServiceTest, TellsCoverage) {
  parts.deriver.Adopt(DerivationPlan::For({"SCRAM-SHA-256"}, 4096, ""));
  parts.MustCreate("ann", "secret");
  parts.deriver.Adopt(DerivationPlan::For({"SCRAM-SHA-1", "CRAM-MD5"}, 4096, ""));
  parts.MustCreate("ben", "secret");
  grpc::ClientContext context;
  v1::GetMechanismCoverageReply reply;
  ASSERT_TRUE(stub->GetMechanismCoverage(&context, {}, &reply).ok());
  EXPECT_EQ(reply.users(), 2u);
  std::map<std::string, std::pair<bool, uint64_t>> told;
  for (const v1::MechanismCoverage& one : reply.mechanisms()) {
    told[one.name()] = {one.enabled(), one.users()};
  }
  EXPECT_EQ(told["PLAIN"], std::pair(true, uint64_t{2}));
  EXPECT_EQ(told["LOGIN"], std::pair(false, uint64_t{2}));
  EXPECT_EQ(told["SCRAM-SHA-256"], std::pair(true, uint64_t{1}));
  EXPECT_EQ(told["SCRAM-SHA-256-PLUS"], std::pair(true, uint64_t{1}));
  EXPECT_EQ(told["SCRAM-SHA-1"], std::pair(true, uint64_t{1}));
  EXPECT_EQ(told["SCRAM-SHA-512"], std::pair(false, uint64_t{0}));
  EXPECT_EQ(told["CRAM-MD5"], std::pair(false, uint64_t{1}));
  EXPECT_FALSE(told.contains("EXTERNAL")) << "nothing of a user is checked";
}

TEST_F(AdminServiceTest, AKeyFileThatCannotBeReadChangesNothing) {
  grpc::ClientContext context;
  v1::RotateKeyReply reply;
  const grpc::Status status = stub->RotateKey(&context, {}, &reply);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("/nonexistent"));
}

}  // namespace
}  // namespace sasld
