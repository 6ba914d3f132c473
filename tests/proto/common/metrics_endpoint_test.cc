#include "proto/common/metrics_endpoint.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace sasld {
namespace {

constexpr char kText[] = "sasld_logins_total 7\n";

class MetricsEndpointTest : public testing::Test {
 protected:
  MetricsEndpointTest() {
    std::string pattern = testing::TempDir() + "sasld-XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    address_.unix_path = folder_ + "/m.sock";
    address_.text = "unix:" + address_.unix_path;
  }
  ~MetricsEndpointTest() override { std::filesystem::remove_all(folder_); }

  // A connection of a scraper's; -1: none could be had.
  int Connect() const {
    const int end = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    address_.unix_path.copy(to.sun_path, sizeof(to.sun_path) - 1);
    if (connect(end, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0) return end;
    close(end);
    return -1;
  }
  // All that comes back.
  std::string Ask(const std::string& request) const {
    const int end = Connect();
    if (end < 0) return "<no connection>";
    EXPECT_EQ(send(end, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    std::string reply;
    char bytes[4096];
    ssize_t count = 0;
    while ((count = recv(end, bytes, sizeof(bytes), 0)) > 0) {
      reply.append(bytes, static_cast<size_t>(count));
    }
    close(end);
    return reply;
  }
  std::string Scrape() const { return Ask("GET /metrics HTTP/1.0\r\n\r\n"); }

  static std::string FirstLine(const std::string& reply) {
    return reply.substr(0, reply.find("\r\n"));
  }
  static std::string Body(const std::string& reply) {
    return reply.substr(reply.find("\r\n\r\n") + 4);
  }

  std::string folder_;
  MetricsAddress address_;
};

TEST_F(MetricsEndpointTest, ServesTheTextOfTheMoment) {
  int scrapes = 0;
  MetricsEndpoint endpoint(address_, [&scrapes] { return kText + std::to_string(++scrapes); });
  ASSERT_TRUE(endpoint.Open().ok());
  ASSERT_TRUE(endpoint.Open().ok()) << "again";
  const std::string reply = Scrape();
  EXPECT_EQ(FirstLine(reply).substr(9), "200 OK");
  EXPECT_NE(reply.find("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"), reply.npos);
  EXPECT_EQ(Body(reply), std::string(kText) + "1");
  EXPECT_EQ(Body(Scrape()), std::string(kText) + "2");
  struct stat file {};
  ASSERT_EQ(stat(address_.unix_path.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 07777, 0666u);
}

TEST_F(MetricsEndpointTest, ServesNothingElse) {
  MetricsEndpoint endpoint(address_, [] { return kText; });
  ASSERT_TRUE(endpoint.Open().ok());
  EXPECT_EQ(FirstLine(Ask("GET / HTTP/1.0\r\n\r\n")).substr(9), "404 Not Found");
  EXPECT_EQ(FirstLine(Ask("GET /metrics/../x HTTP/1.0\r\n\r\n")).substr(9), "404 Not Found");
  for (const std::string method : {"POST", "PUT", "HEAD", "DELETE", "OPTIONS", "X"}) {
    const std::string reply = Ask(method + " /metrics HTTP/1.0\r\nContent-Length: 1000\r\n\r\n");
    EXPECT_EQ(FirstLine(reply).substr(9), "405 Method Not Allowed") << method;
    EXPECT_NE(reply.find("Allow: GET\r\n"), reply.npos);
  }
  for (const std::string& hostile :
       {"GET /metrics HTTP/1.0\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n",
        std::string("\r\n\r\n\0\xff garbage\r\n\r\n", 19), std::string("GET\r\n\r\n")}) {
    const int end = Connect();
    ASSERT_GE(end, 0);
    (void)send(end, hostile.data(), hostile.size(), MSG_NOSIGNAL);
    close(end);
  }
  EXPECT_EQ(Body(Scrape()), kText) << "after what hostile scrapers sent";
}

TEST_F(MetricsEndpointTest, IsOffWithoutAnAddress) {
  MetricsEndpoint endpoint({}, [] { return kText; });
  EXPECT_TRUE(endpoint.Open().ok());
  EXPECT_FALSE(endpoint.is_open());
}

TEST_F(MetricsEndpointTest, ListensNoMoreOnceItIsClosed) {
  MetricsEndpoint endpoint(address_, [] { return kText; });
  ASSERT_TRUE(endpoint.Open().ok());
  endpoint.Close();
  EXPECT_EQ(Scrape(), "<no connection>");
  EXPECT_TRUE(endpoint.Open().ok()) << "its own file is in the way";
  EXPECT_EQ(Body(Scrape()), kText);
}

TEST_F(MetricsEndpointTest, AnAddressInUseIsToldAndTakenOnceItIsFree) {
  const int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(at);
  ASSERT_EQ(bind(other, reinterpret_cast<sockaddr*>(&at), size), 0);
  ASSERT_EQ(listen(other, 1), 0);
  ASSERT_EQ(getsockname(other, reinterpret_cast<sockaddr*>(&at), &size), 0);
  const uint16_t port = ntohs(at.sin_port);
  const std::string text = "127.0.0.1:" + std::to_string(port);
  MetricsEndpoint endpoint({text, "", "127.0.0.1", port}, [] { return kText; });
  EXPECT_EQ(endpoint.Open().message(),
            "cannot listen at " + text +
                ": Address already in use; is the port in use (ss -ltnp), and is the address one "
                "of this machine's?");
  EXPECT_FALSE(endpoint.is_open());
  close(other);
  EXPECT_TRUE(endpoint.Open().ok());
}

// How many sockets this process has, both ends of connections.
size_t Sockets() {
  size_t count = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    if (std::filesystem::read_symlink(entry.path(), ignored).string().starts_with("socket:")) {
      ++count;
    }
  }
  return count;
}

TEST_F(MetricsEndpointTest, ScrapersThatSayNothingCostFewDescriptors) {
  MetricsEndpoint endpoint(address_, [] { return kText; });
  ASSERT_TRUE(endpoint.Open().ok());
  const size_t before = Sockets();
  constexpr size_t kMost = 16;
  std::vector<int> silent;
  // Those who find no room wait in the kernel's queue, and one more does not connect.
  while (silent.size() < kMost) {
    const int end = Connect();
    ASSERT_GE(end, 0);
    silent.push_back(end);
  }
  for (size_t i = 0; i < kMost; ++i) silent.push_back(Connect());
  for (int tries = 0; Sockets() < before + silent.size() + kMost && tries < 1000; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(Sockets(), before + silent.size() + kMost);
  for (const int end : silent) close(end);
  EXPECT_EQ(Body(Scrape()), kText) << "once they are gone";
}

}  // namespace
}  // namespace sasld
