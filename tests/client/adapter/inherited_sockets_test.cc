#include "client/adapter/inherited_sockets.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "fake_sasl_server.h"

namespace sasld {
namespace {

class InheritedSockets : public ::testing::Test {
 protected:
  static constexpr int kFirst = 3;  // SD_LISTEN_FDS_START

  // What TakeInheritedSockets yields in a process that gets `sockets` from systemd: "path flags …",
  // or the error.
  static std::string TakenOf(const std::vector<int>& sockets, bool for_us = true) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      // Out of the way of the numbers below.
      const int out = fcntl(ends[1], F_DUPFD, 100);
      std::vector<int> high;
      for (int fd : sockets) high.push_back(fcntl(fd, F_DUPFD, 100));
      for (size_t i = 0; i < high.size(); ++i) dup2(high[i], kFirst + static_cast<int>(i));
      setenv("LISTEN_PID", std::to_string(for_us ? getpid() : 1).c_str(), 1);
      setenv("LISTEN_FDS", std::to_string(sockets.size()).c_str(), 1);
      const std::string text = Taken();
      (void)!write(out, text.data(), text.size());
      _exit(0);
    }
    close(ends[1]);
    std::string text(4096, '\0');
    const ssize_t count = read(ends[0], text.data(), text.size());
    text.resize(count > 0 ? static_cast<size_t>(count) : 0);
    close(ends[0]);
    waitpid(child, nullptr, 0);
    return text;
  }
  static std::string Taken() {
    const absl::StatusOr<std::vector<InheritedSocket>> sockets = TakeInheritedSockets();
    if (!sockets.ok()) return std::string(sockets.status().message());
    std::string text;
    for (const InheritedSocket& socket : *sockets) {
      text += socket.path;
      if (fcntl(socket.fd, F_GETFL) & O_NONBLOCK) text += " non-blocking";
      if (fcntl(socket.fd, F_GETFD) & FD_CLOEXEC) text += " close-on-exec";
      text += "; ";
    }
    return text + (std::getenv("LISTEN_FDS") ? "environment kept" : "");
  }
  static ListenConfig At(const std::string& path) {
    ListenConfig listen{};
    listen.socket.path = path;
    return listen;
  }

  testing::TemporaryFolder folder_;
};

int BindInPlace(const std::string& path, int type) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return fd;
}

TEST_F(InheritedSockets, AreNoneWithoutSystemd) {
  EXPECT_EQ(Taken(), "");
  const int a = BindInPlace(folder_.File("a"), SOCK_STREAM);
  listen(a, 1);
  EXPECT_EQ(TakenOf({a}, /*for_us=*/false), "") << "they are another process's";
  close(a);
}

TEST_F(InheritedSockets, AreTakenWithTheirPaths) {
  const int a = BindInPlace(folder_.File("a"), SOCK_STREAM);
  const int b = BindInPlace(folder_.File("b"), SOCK_STREAM);
  listen(a, 1);
  listen(b, 1);
  EXPECT_EQ(TakenOf({a, b}), folder_.File("a") + " non-blocking close-on-exec; " +
                                 folder_.File("b") + " non-blocking close-on-exec; ");
  close(a);
  close(b);
}

TEST_F(InheritedSockets, AreNotTakenIfTheyAreOfAnotherKind) {
  const std::string told =
      "the socket that systemd passes as descriptor 3 is not one of ListenStream= with a path";
  const int datagrams = BindInPlace(folder_.File("d"), SOCK_DGRAM);
  EXPECT_EQ(TakenOf({datagrams}), told);
  const int idle = BindInPlace(folder_.File("i"), SOCK_STREAM);
  EXPECT_EQ(TakenOf({idle}), told);
  const int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  listen(tcp, 1);
  EXPECT_EQ(TakenOf({tcp}), told);
  const int abstract = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // With a family and no path the kernel chooses an abstract name.
  ASSERT_EQ(bind(abstract, reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)), 0);
  listen(abstract, 1);
  EXPECT_EQ(TakenOf({abstract}),
            "the socket that systemd passes as descriptor 3 has a name that is no path of a file");
  for (int fd : {datagrams, idle, tcp, abstract}) close(fd);
}

TEST_F(InheritedSockets, NeedAListenOfTheirPath) {
  const std::vector<ListenConfig> listen = {At("/a"), At("/b")};
  EXPECT_TRUE(CheckInherited({}, listen).ok());
  EXPECT_TRUE(CheckInherited({{3, "/b"}}, listen).ok());
  EXPECT_EQ(
      CheckInherited({{3, "/b"}, {4, "/c"}}, listen).message(),
      "'/c' was passed to listen on, and no [[listen]] has that path; add one, or take it out "
      "of the systemd unit (ListenStream= of sasld-adapter.socket)");
  EXPECT_EQ(CheckInherited({{3, "/b"}, {4, "/b"}}, listen).message(),
            "'/b' was passed to listen on twice");
}

}  // namespace
}  // namespace sasld
