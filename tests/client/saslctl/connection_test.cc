#include "client/saslctl/connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace sasld::saslctl {
namespace {

constexpr uid_t kNobody = 65534;

// What CheckServer says to a user without rights, as its status code; 254 for another text than
// `text`.
int CodeForNobody(const std::string& server, const std::string& text) {
  const pid_t pid = fork();
  if (pid == 0) {
    if (geteuid() == 0 && setuid(kNobody) != 0) _exit(255);
    const absl::Status status = CheckServer(server);
    _exit(status.message() == text ? status.raw_code() : 254);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WEXITSTATUS(status);
}

TEST(CheckServer, TellsASocketThatMayNotBeOpened) {
  std::string folder = (std::filesystem::temp_directory_path() / "saslctl_test.XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  chmod(folder.c_str(), 0755);
  const std::string path = folder + "/admin.sock";
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(fd, 1), 0);
  chmod(path.c_str(), 0666);
  EXPECT_EQ(CodeForNobody("unix:" + path, ""), static_cast<int>(absl::StatusCode::kOk));
  chmod(path.c_str(), 0000);
  EXPECT_EQ(CodeForNobody("unix:" + path, "unix:" + path +
                                              ": permission denied; run saslctl as root, or as "
                                              "the user sasld runs as"),
            static_cast<int>(absl::StatusCode::kPermissionDenied));
  close(fd);
  std::filesystem::remove_all(folder);
}

TEST(CheckServer, RefusesAddressesThatAreNoUnixSockets) {
  for (const char* server : {"", "unix:", "localhost:1234", "/run/sasld/admin.sock"}) {
    EXPECT_EQ(CheckServer(server).code(), absl::StatusCode::kInvalidArgument) << server;
  }
}

}  // namespace
}  // namespace sasld::saslctl
