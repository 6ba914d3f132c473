// How an adapter ends: no client of it may lose a login.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "adapter_fixture.h"
#include "client/monotonic_time.h"

namespace sasld {
namespace {

using testing::AdapterTest;
using testing::ChallengeOf;
using testing::FakeSaslServer;
using testing::kLogin;
using testing::Mta;
using testing::Succeed;
using testing::SuccessFor;

std::optional<v1::StepReply> InTwoSteps(const v1::StepRequest& request) {
  return request.state().empty() ? ChallengeOf("", "sealed") : SuccessFor("alice");
}

class DrainTest : public AdapterTest {
 protected:
  static void Login(Mta& mta) {
    mta.Write(std::string("AUTH\t1\t") + kLogin);
    EXPECT_EQ(mta.Line(), "OK\t1\tuser=alice");
  }
  static bool CannotWriteSoon(Mta& mta) {
    for (int i = 0; i < 1000 && !mta.CannotWrite(); ++i) absl::SleepFor(absl::Milliseconds(5));
    return mta.CannotWrite();
  }
  // errno of a connect(2), 0 if it worked.
  int Connect() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    Path().copy(address.sun_path, sizeof address.sun_path - 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int error =
        connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
    close(fd);
    return error;
  }
  // Makes Path() listen, with a descriptor that stays in this process, as systemd would.
  void HoldSocket() {
    held_ = ListenUnix({Path(), 0640, "", ""}, 100).value();
    PassSocket();
  }
  void PassSocket() { inherited_ = {{dup(held_), Path()}}; }
  ~DrainTest() override {
    StopAdapter();
    if (held_ >= 0) close(held_);
  }

  int held_ = -1;
};

TEST_F(DrainTest, EndsAConnectionBetweenTwoLoginsSoThatTheClientNotices) {
  FakeSaslServer server(SaslPath(), InTwoSteps);
  StartAdapter();
  Mta idle(Path());
  idle.Handshake(0);
  idle.Write("AUTH\t1\tPLAIN\tservice=smtp\n");
  EXPECT_EQ(idle.Line(), "CONT\t1\t");
  idle.Write("CONT\t1\tAGFsaWNlAHNlY3JldA==\n");
  EXPECT_EQ(idle.Line(), "OK\t1\tuser=alice");
  Mta busy(Path());
  busy.Handshake(0);
  busy.Write("AUTH\t1\tPLAIN\tservice=smtp\n");
  EXPECT_EQ(busy.Line(), "CONT\t1\t");
  adapter_->Stop();
  EXPECT_TRUE(CannotWriteSoon(idle));
  EXPECT_EQ(idle.Line(), "<closed>");
  // The other one's login goes on to its end.
  EXPECT_FALSE(busy.CannotWrite());
  busy.Write("CONT\t1\tAGFsaWNlAHNlY3JldA==\n");
  EXPECT_EQ(busy.Line(), "OK\t1\tuser=alice");
  EXPECT_TRUE(CannotWriteSoon(busy));
}

TEST_F(DrainTest, AnswersWhatWasSentBeforeItSaysThatItEnds) {
  FakeSaslServer server(SaslPath(), Succeed);
  for (int i = 0; i < 20; ++i) {
    StartAdapter();
    Mta mta(Path());
    mta.Handshake(0);
    Login(mta);
    adapter_->Stop();
    // Either it cannot be sent, or it is answered.
    const std::string auth = std::string("AUTH\t2\t") + kLogin;
    if (mta.WriteSome(auth) == auth.size()) {
      EXPECT_EQ(mta.Line(), "OK\t2\tuser=alice");
    }
    StopAdapter();
  }
}

TEST_F(DrainTest, DoesNotWaitForMailClientsThatGaveUp) {
  FakeSaslServer server(SaslPath(), InTwoSteps);
  StartAdapter();
  Mta mta(Path());
  mta.Handshake(0);
  mta.Write("AUTH\t1\tPLAIN\tservice=smtp\n");
  EXPECT_EQ(mta.Line(), "CONT\t1\t");
  const absl::Time began = MonotonicNow();
  StopAdapter();
  EXPECT_LT(MonotonicNow() - began, absl::Seconds(3));
}

// Dovecot takes a connection that ends in an exchange for a wrong password; Postfix any FAIL.
TEST_F(DrainTest, SaysThatItGivesUpToWhoUnderstandsIt) {
  FakeSaslServer server(SaslPath(), InTwoSteps);
  StartAdapter();
  Mta dovecot(Path());
  Mta postfix(Path());
  dovecot.Handshake(2);
  postfix.Handshake(0);
  for (Mta* one : {&dovecot, &postfix}) {
    one->Write("AUTH\t1\tPLAIN\tservice=imap\n");
    EXPECT_EQ(one->Line(), "CONT\t1\t");
  }
  StopAdapter();
  EXPECT_EQ(dovecot.Line(), "FAIL\t1\ttemp\tcode=temp_fail");
  EXPECT_EQ(dovecot.Line(), "<closed>");
  EXPECT_EQ(postfix.Line(), "<closed>");
}

TEST_F(DrainTest, GivesNewClientsTimeForTheirFirstLogin) {
  FakeSaslServer server(SaslPath(), Succeed);
  StartAdapter();
  Mta mta(Path());
  mta.Handshake(0);
  adapter_->Stop();
  absl::SleepFor(absl::Milliseconds(50));
  Login(mta);
}

TEST_F(DrainTest, LeavesItsSocketSoThatClientsAreRefusedAndTryAgain) {
  StartAdapter();
  StopAdapter();
  EXPECT_EQ(Connect(), ECONNREFUSED);
}

TEST_F(DrainTest, TakesAnInheritedSocketAsItIs) {
  FakeSaslServer server(SaslPath(), Succeed);
  HoldSocket();
  Mta early(Path());  // before there is an adapter
  StartAdapter("mode = \"0600\"\n");
  early.Handshake(0);
  Login(early);
  struct stat file;
  ASSERT_EQ(stat(Path().c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 07777, 0640u);
  StopAdapter();
  EXPECT_NE(log_text_.str().find("listening on " + Path() +
                                 " (dovecot-auth), which was passed to this process"),
            std::string::npos);
}

TEST_F(DrainTest, LeavesWhoWaitsAtAnInheritedSocketToTheNext) {
  FakeSaslServer server(SaslPath(), Succeed);
  HoldSocket();
  for (int i = 0; i < 3; ++i) {
    StartAdapter();
    auto mta = std::make_unique<Mta>(Path());
    mta->Handshake(0);
    Login(*mta);
    adapter_->Stop();
    EXPECT_TRUE(CannotWriteSoon(*mta));
    mta = std::make_unique<Mta>(Path());  // nobody accepts it now
    StopAdapter();
    PassSocket();
    StartAdapter();
    mta->Handshake(0);
    Login(*mta);
    mta.reset();
    StopAdapter();
    PassSocket();
  }
}

TEST_F(DrainTest, ServesWhoWaitsAtItsOwnSocketBeforeItEnds) {
  FakeSaslServer server(SaslPath(), Succeed);
  for (int i = 0; i < 5; ++i) {
    StartAdapter();
    std::vector<std::unique_ptr<Mta>> mtas;
    for (int n = 0; n < 200; ++n) mtas.push_back(std::make_unique<Mta>(Path()));
    adapter_->Stop();  // some of them are not accepted yet
    for (auto& mta : mtas) mta->Handshake(0);
    for (auto& mta : mtas) mta->Write(std::string("AUTH\t1\t") + kLogin);
    for (auto& mta : mtas) ASSERT_EQ(mta->Line(), "OK\t1\tuser=alice");
    StopAdapter();
  }
}

}  // namespace
}  // namespace sasld
