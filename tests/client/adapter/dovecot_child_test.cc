#include "client/adapter/dovecot_child.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "spdlog/details/log_msg.h"

namespace sasld {
namespace {

using testing::HasSubstr;

std::string ServedBy(std::string_view path, std::string_view settings = "") {
  const Protocol* protocol = ProtocolOfDovecotSocket(path, settings);
  return protocol == nullptr ? "nothing" : std::string(protocol->name);
}

TEST(DovecotChild, KnowsSocketsByTheirNames) {  // Dovecot 2.3
  EXPECT_EQ(ServedBy("/run/dovecot/login/login", "login"), "dovecot-login");
  EXPECT_EQ(ServedBy("/run/dovecot/auth-login", "auth-login"), "dovecot-login");
  EXPECT_EQ(ServedBy("/run/dovecot/auth-master"), "dovecot-master");
  EXPECT_EQ(ServedBy("/run/dovecot/auth-userdb"), "dovecot-userdb");
  EXPECT_EQ(ServedBy("/run/dovecot/auth-client"), "dovecot-auth");
  EXPECT_EQ(ServedBy("/var/spool/postfix/private/auth"), "dovecot-auth");
  EXPECT_EQ(ServedBy("/run/dovecot/token-login/tokenlogin"), "nothing");
  EXPECT_EQ(ServedBy("/run/dovecot/auth-token"), "nothing");
}

TEST(DovecotChild, KnowsSocketsByTheirType) {  // Dovecot 2.4
  EXPECT_EQ(ServedBy("/x/auth-client", "auth-client\ttype=auth"), "dovecot-auth");
  EXPECT_EQ(ServedBy("/x/exim-master", "exim-master\ttype=auth-legacy"), "dovecot-auth");
  EXPECT_EQ(ServedBy("/x/auth", "auth\tsomething\ttype=login"), "dovecot-login");
  EXPECT_EQ(ServedBy("/x/auth", "auth\ttype=master"), "dovecot-master");
  EXPECT_EQ(ServedBy("/x/auth", "auth\ttype=userdb"), "dovecot-userdb");
  EXPECT_EQ(ServedBy("/x/login", "login\ttype=token-login"), "nothing");
  EXPECT_EQ(ServedBy("/x/auth-master", "auth-master\ttype=new-in-2.5"), "dovecot-master");
}

TEST(DovecotChild, LogsAsDovecotsProgramsDo) {
  const auto formatter = DovecotLogFormatter();
  const auto line = [&formatter](spdlog::level::level_enum level) {
    spdlog::memory_buf_t buffer;
    formatter->format(spdlog::details::log_msg("name", level, "listening"), buffer);
    return std::string(buffer.data(), buffer.size());
  };
  const std::string rest = std::to_string(getpid()) + " listening\n";
  EXPECT_EQ(line(spdlog::level::debug), "\001\001" + rest);
  EXPECT_EQ(line(spdlog::level::info), "\001\002" + rest);
  EXPECT_EQ(line(spdlog::level::warn), "\001\003" + rest);
  EXPECT_EQ(line(spdlog::level::err), "\001\004" + rest);
}

using Variables = std::map<std::string, std::string>;

Environment Of(const Variables& variables) {
  return [&variables](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
}

int ListenAt(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return -1;
  return listen(fd, 1) == 0 ? fd : -1;
}

// Descriptors of fixed numbers: in a process of its own.
std::string InAnotherProcess(const std::function<std::string()>& say) {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    const int out = fcntl(pipe_ends[1], F_DUPFD, 100);
    for (int fd = 3; fd < 30; ++fd) close(fd);
    const std::string text = say();
    (void)!write(out, text.data(), text.size());
    _exit(0);
  }
  close(pipe_ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = read(pipe_ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<size_t>(got));
  }
  close(pipe_ends[0]);
  waitpid(child, nullptr, 0);
  return text;
}

class DovecotChildSockets : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "sasld-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string Take() const {
    const auto child = DovecotChildOf(Of(variables));
    if (!child.ok()) return std::string(child.status().message());
    if (!*child) return "no child";
    std::string text = "generation " + std::to_string((*child)->generation);
    for (size_t i = 0; i < (*child)->sockets.size(); ++i) {
      const ListenConfig& listen = (*child)->listen[i];
      text += "\n" + std::to_string((*child)->sockets[i].fd) + " " +
              (*child)->sockets[i].path.substr(folder.size() + 1) + " " +
              std::string(listen.protocol->name) + " " + std::to_string(listen.max_connections);
      if (listen.socket.path != (*child)->sockets[i].path) text += " differs";
    }
    return text;
  }

  std::string folder;
  Variables variables{{"DOVECOT_CHILD_PROCESS", "1"}, {"GENERATION", "3"},
                      {"CLIENT_LIMIT", "4096"},       {"SOCKET_COUNT", "3"},
                      {"SOCKET0_SETTINGS", "login"},  {"SOCKET1_SETTINGS", "auth-token"},
                      {"SOCKET2_SETTINGS", "auth"}};
};

TEST_F(DovecotChildSockets, AreTakenWhereTheyBegin) {
  for (const int first : {7, 8, 9}) {
    const std::string said = InAnotherProcess([&] {
      for (int fd = 3; fd < first; ++fd) dup2(0, fd);
      int at = first;
      for (const char* name : {"login", "auth-token", "auth"}) {
        const int fd = ListenAt(folder + "/" + name + std::to_string(first));
        if (fd != at) dup2(fd, at);
        ++at;
      }
      variables["SOCKET0_SETTINGS"] = "login\ttype=login";
      variables["SOCKET1_SETTINGS"] = "auth-token\ttype=token";
      return Take();
    });
    const std::string n = std::to_string(first);
    EXPECT_EQ(said, "generation 3\n" + n + " login" + n + " dovecot-login 4096\n" +
                        std::to_string(first + 2) + " auth" + n + " dovecot-auth 4096");
  }
}

TEST_F(DovecotChildSockets, MustBeUnixSocketsThatListen) {
  const std::string said = InAnotherProcess([&] {
    for (int fd = 3; fd < 7; ++fd) dup2(0, fd);
    ListenAt(folder + "/login");
    dup2(0, 8);
    return Take();
  });
  EXPECT_THAT(said, HasSubstr("descriptor 8; take inet_listener and fifo_listener out"));
}

TEST_F(DovecotChildSockets, MustBeNumbered) {
  variables["SOCKET_COUNT"] = "x";
  EXPECT_THAT(Take(), HasSubstr("no number in SOCKET_COUNT"));
  variables.erase("GENERATION");
  EXPECT_THAT(Take(), HasSubstr("no number in GENERATION"));
}

TEST_F(DovecotChildSockets, AreNotLookedForWithoutDovecot) {
  variables.erase("DOVECOT_CHILD_PROCESS");
  EXPECT_EQ(Take(), "no child");
}

TEST_F(DovecotChildSockets, AreServedOnceTheMasterWasTold) {
  const std::string said = InAnotherProcess([] {
    int ends[2];
    if (pipe(ends) != 0) return std::string("no pipe");
    const int from = fcntl(ends[0], F_DUPFD, 50);
    dup2(ends[1], 5);
    DovecotChild child;
    child.generation = 3;
    child.client_limit = 4096;
    if (const absl::Status told = ReportToDovecot(child); !told.ok()) {
      return std::string(told.message());
    }
    uint32_t status[4];
    if (read(from, status, sizeof status) != 12) return std::string("not 12 bytes");
    return std::to_string(status[0] == static_cast<uint32_t>(getpid())) + " " +
           std::to_string(status[1]) + " " + std::to_string(status[2]);
  });
  EXPECT_EQ(said, "1 3 4096");
}

}  // namespace
}  // namespace sasld
