#include "client/adapter/check_socket.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "fake_sasl_server.h"
#include "proto/common/unix_socket.h"

namespace sasld {
namespace {

constexpr char kGreeting[] =
    "VERSION\t1\t2\nMECH\tSCRAM-SHA-256\tmutual-auth\nMECH\tPLAIN\tplaintext\n"
    "MECH\tTOKEN\tprivate\nSPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n";

// "OK A B", or "what | fix".
std::string Text(const SocketVerdict& verdict) {
  if (const auto* fault = std::get_if<SocketFault>(&verdict))
    return fault->what + " | " + fault->fix;
  std::string text = "OK";
  for (const std::string& name : std::get<WorkingSocket>(verdict).mechanisms) text += " " + name;
  return text;
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(JudgeGreeting, TakesWhatPostfixTakes) {
  EXPECT_EQ(Text(JudgeGreeting(kGreeting)), "OK SCRAM-SHA-256 PLAIN");
  EXPECT_EQ(Text(JudgeGreeting("VERSION\t1\t1\nMECH\tPLAIN\nX\n\nDONE\n")), "OK PLAIN");
}

TEST(JudgeGreeting, TellsWhatPostfixDoesNotTake) {
  EXPECT_TRUE(Has(Text(JudgeGreeting("220 mx ESMTP\nDONE\n")),
                  "does not speak Dovecot's auth protocol: it says \"220 mx ESMTP\""));
  EXPECT_TRUE(Has(Text(JudgeGreeting("\x1b[2J\nDONE\n")), "it says \"?[2J\""));
  EXPECT_TRUE(Has(Text(JudgeGreeting("VERSION\t2\t0\nMECH\tPLAIN\nDONE\n")), "speaks version 2"));
  EXPECT_TRUE(Has(Text(JudgeGreeting("VERSION\t1\t1\nSPID\t1\nMECH\tPLAIN\nDONE\n")),
                  "SPID before any mechanism"));
  EXPECT_TRUE(Has(Text(JudgeGreeting("VERSION\t1\t1\nMECH\tX\tplaintext\tprivate\nDONE\n")),
                  "offers no mechanism"));
  EXPECT_TRUE(Has(Text(JudgeGreeting("VERSION\t1\t1\nDONE\n")), "offers no mechanism"));
}

// Listens, and says one thing to whoever comes.
class Server {
 public:
  Server(const std::string& path, std::string greeting, bool hang_up)
      : listener_(ListenUnix({path, 0600, "", ""}, 8).value()),
        thread_([this, greeting = std::move(greeting), hang_up] {
          pollfd ready{listener_, POLLIN, 0};
          if (poll(&ready, 1, 10000) <= 0) return;
          client_ = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
          (void)!send(client_, greeting.data(), greeting.size(), MSG_NOSIGNAL);
          if (hang_up) close(client_);
          if (hang_up) client_ = -1;
        }) {}
  ~Server() {
    thread_.join();
    if (client_ >= 0) close(client_);
    close(listener_);
  }

 private:
  int listener_;
  int client_ = -1;
  std::thread thread_;
};

class CheckSocketTest : public ::testing::Test {
 protected:
  SocketProbe Probe() const {
    SocketProbe probe;
    probe.place.path = path_;
    probe.user = {"", geteuid(), {getegid()}};
    probe.patience = absl::Milliseconds(300);
    return probe;
  }
  static std::string Check(const SocketProbe& probe) {
    absl::StatusOr<SocketVerdict> verdict = CheckSocket(probe);
    return verdict.ok() ? Text(*verdict) : std::string(verdict.status().message());
  }
  std::string CheckServer(const std::string& greeting, bool hang_up) const {
    Server server(path_, greeting, hang_up);
    return Check(Probe());
  }

  testing::TemporaryFolder folder_;
  const std::string path_ = folder_.File("auth");
};

TEST_F(CheckSocketTest, ListsTheMechanismsOfAGoodOne) {
  EXPECT_EQ(CheckServer(kGreeting, false), "OK SCRAM-SHA-256 PLAIN");
}

TEST_F(CheckSocketTest, TellsOfServersThatDoNotGreet) {
  const std::string hung_up = CheckServer("", true);
  EXPECT_TRUE(Has(hung_up, "'" + path_ + "' listens, but hangs up at once | ")) << hung_up;
  EXPECT_TRUE(Has(hung_up, "allow_users or allow_groups")) << hung_up;
  EXPECT_TRUE(Has(CheckServer("VERSION\t1\t2\nMECH\tPL", true),
                  "hangs up in the middle of its greeting, which begins \"VERSION?1?2\""));
  const std::string silent = CheckServer("", false);
  EXPECT_TRUE(Has(silent, "says nothing for 300ms | Is it saslauthd's")) << silent;
  EXPECT_TRUE(
      Has(CheckServer("VERSION\t1\t2\nMECH\tPLAIN\n", false), "does not end (no line DONE)"));
  EXPECT_TRUE(Has(CheckServer(std::string(100000, 'x'), false), "does not speak Dovecot's"));
  EXPECT_TRUE(
      Has(CheckServer("220 mx ESMTP\r\n", false),
          "'" + path_ + "' does not speak Dovecot's auth protocol: it says \"220 mx ESMTP?\""));
}

TEST_F(CheckSocketTest, DoesNotWaitForAGreetingOfSaslauthd) {
  Server server(path_, "", false);
  SocketProbe probe = Probe();
  probe.await_greeting = false;
  EXPECT_EQ(Check(probe), "OK");
}

TEST_F(CheckSocketTest, TellsOfSocketsThatTakeNoConnection) {
  EXPECT_TRUE(Has(Check(Probe()), "'" + path_ + "' is not there"));
  int listener = ListenUnix({path_, 0600, "", ""}, 0).value();
  SocketProbe first = Probe();
  first.await_greeting = false;
  EXPECT_EQ(Check(first), "OK") << "it stays in the queue";
  EXPECT_TRUE(Has(Check(Probe()), "takes no more connections")) << Check(Probe());
  close(listener);
  EXPECT_TRUE(Has(Check(Probe()), "nobody listens on '" + path_ + "' | Start sasld-adapter"));
}

TEST_F(CheckSocketTest, TellsOfDatagramSockets) {
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_TRUE(Has(Check(Probe()), "for datagrams or packets"));
  close(fd);
}

TEST_F(CheckSocketTest, TellsOfAPathThatIsTooLong) {
  SocketProbe probe = Probe();
  probe.place.path = "/" + std::string(107, 'x');
  EXPECT_TRUE(Has(Check(probe), "is longer than the 107 bytes"));
}

TEST_F(CheckSocketTest, TellsOfAChrootThatIsNone) {
  SocketProbe probe = Probe();
  probe.place.chroot = folder_.File("none");
  EXPECT_TRUE(Has(Check(probe), "cannot change into '" + folder_.File("none") + "'"));
}

}  // namespace
}  // namespace sasld
