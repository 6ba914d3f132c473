#include "proto/common/unix_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

namespace sasld {
namespace {

SocketFile At(std::string path) { return {std::move(path), 0600, "", ""}; }

class UnixSocket : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/sasld-socket-XXXXXX";  // short: a socket's path is limited
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = folder_ + "/s.sock";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  bool Exists() const { return std::filesystem::exists(std::filesystem::symlink_status(path_)); }
  struct stat Stat() const {
    struct stat found {};
    EXPECT_EQ(lstat(path_.c_str(), &found), 0);
    return found;
  }
  // A connection to path_, or -1 with errno.
  int Connect(int type = SOCK_STREAM) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  // A listener at path_ that is closed without unlink, as a killed server leaves it.
  void LeaveStaleSocket() const {
    absl::StatusOr<int> listener = ListenUnix(At(path_), 1);
    ASSERT_TRUE(listener.ok()) << listener.status();
    close(*listener);
  }

  std::string folder_;
  std::string path_;
};

TEST_F(UnixSocket, NothingThereIsFine) { EXPECT_TRUE(ClearStaleSocket(path_).ok()); }

TEST_F(UnixSocket, StaleOneIsRemoved) {
  LeaveStaleSocket();
  ASSERT_TRUE(Exists());
  EXPECT_TRUE(ClearStaleSocket(path_).ok());
  EXPECT_FALSE(Exists());
}

TEST_F(UnixSocket, LiveOneIsRefusedAndStaysUsable) {
  absl::StatusOr<int> listener = ListenUnix(At(path_), 4);
  ASSERT_TRUE(listener.ok()) << listener.status();
  absl::Status status = ClearStaleSocket(path_);
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_EQ(status.message(),
            "'" + path_ + "' is served by another process; stop it first or choose another path");
  EXPECT_TRUE(absl::IsAlreadyExists(ListenUnix(At(path_), 4).status()));
  int client = Connect();
  EXPECT_GE(client, 0);
  close(client);
  close(*listener);
}

TEST_F(UnixSocket, LiveOneLosesThePathWhereThatIsWanted) {
  absl::StatusOr<int> old = ListenUnix(At(path_), 4);
  ASSERT_TRUE(old.ok()) << old.status();
  int early = Connect();
  ASSERT_GE(early, 0);
  absl::StatusOr<int> successor = ListenUnix(At(path_), 4, LiveServer::kLosesThePath);
  ASSERT_TRUE(successor.ok()) << successor.status();
  int late = Connect();
  ASSERT_GE(late, 0);
  // The old one keeps whom it has, and has seen the successor look whether it lives; the successor
  // has whoever came later.
  const int kept = accept(*old, nullptr, nullptr);
  const int taken = accept(*successor, nullptr, nullptr);
  for (auto [client, accepted] : {std::pair(early, kept), std::pair(late, taken)}) {
    char byte = 0;
    EXPECT_EQ(write(client, "x", 1), 1);
    EXPECT_EQ(read(accepted, &byte, 1), 1);
    close(accepted);
  }
  EXPECT_LT(accept(*successor, nullptr, nullptr), 0);
  close(*old);
  close(*successor);
  close(early);
  close(late);
}

TEST_F(UnixSocket, WhatIsNoSocketStaysWhoeverWantsThePath) {
  std::ofstream(path_) << "mail";
  EXPECT_TRUE(
      absl::IsFailedPrecondition(ListenUnix(At(path_), 1, LiveServer::kLosesThePath).status()));
  EXPECT_TRUE(Exists());
}

TEST_F(UnixSocket, LiveOneWithAFullBacklogIsRefused) {
  absl::StatusOr<int> listener = ListenUnix(At(path_), 0);
  ASSERT_TRUE(listener.ok()) << listener.status();
  int client = Connect();  // backlog 0 holds one
  ASSERT_GE(client, 0);
  EXPECT_TRUE(absl::IsAlreadyExists(ClearStaleSocket(path_)));
  close(client);
  close(*listener);
}

TEST_F(UnixSocket, LiveDatagramSocketIsRefused) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_TRUE(absl::IsAlreadyExists(ClearStaleSocket(path_)));
  EXPECT_TRUE(Exists());
  close(fd);
}

TEST_F(UnixSocket, RegularFileIsRefusedAndStays) {
  std::ofstream(path_) << "precious";
  absl::Status status = ClearStaleSocket(path_);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_EQ(status.message(), "'" + path_ +
                                  "' is there already and is not a socket; move it away "
                                  "or choose another path");
  EXPECT_TRUE(absl::IsFailedPrecondition(ListenUnix(At(path_), 1).status()));
  EXPECT_EQ(std::filesystem::file_size(path_), 8U);
}

TEST_F(UnixSocket, LinkIsRefusedAndItsTargetStays) {
  std::ofstream(folder_ + "/target") << "precious";
  std::filesystem::create_symlink(folder_ + "/target", path_);
  EXPECT_TRUE(absl::IsFailedPrecondition(ClearStaleSocket(path_)));
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/target"));
}

TEST_F(UnixSocket, MissingFolderIsNamed) {
  absl::Status status = ClearStaleSocket(folder_ + "/gone/s.sock");
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_EQ(status.message(), "'" + folder_ + "/gone/s.sock' cannot be made: the folder '" +
                                  folder_ +
                                  "/gone' is not there, create it: No such file or directory");
}

TEST_F(UnixSocket, UnwritableFolderIsNamed) {
  ASSERT_EQ(chmod(folder_.c_str(), 0555), 0);
  const bool root = geteuid() == 0;
  if (root) {
    ASSERT_EQ(seteuid(65534), 0);
  }
  absl::Status status = ClearStaleSocket(path_);
  if (root) {
    ASSERT_EQ(seteuid(0), 0);
  }
  ASSERT_EQ(chmod(folder_.c_str(), 0755), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(std::string(status.message())
                  .starts_with("'" + path_ + "' cannot be made: " + folder_ + " belongs to "))
      << status;
}

TEST_F(UnixSocket, PathOf107BytesIsTheLongest) {
  std::string longest = folder_ + "/" + std::string(107 - folder_.size() - 1, 'x');
  absl::StatusOr<int> listener = ListenUnix(At(longest), 1);
  EXPECT_TRUE(listener.ok()) << listener.status();
  if (listener.ok()) close(*listener);

  absl::Status status = ClearStaleSocket(longest + "x");
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_EQ(status.message(), "'" + longest +
                                  "x' is longer than the 107 bytes a Unix socket's path may have; "
                                  "choose a shorter one");
}

TEST_F(UnixSocket, EmptyPathIsInvalid) {
  EXPECT_TRUE(absl::IsInvalidArgument(ClearStaleSocket("")));
  EXPECT_TRUE(absl::IsInvalidArgument(ListenUnix(At(""), 1).status()));
}

TEST_F(UnixSocket, HasTheConfiguredModeWhateverTheUmask) {
  for (mode_t mask : {mode_t{0077}, mode_t{0000}}) {
    for (mode_t mode : {mode_t{0600}, mode_t{0660}, mode_t{0666}}) {
      mode_t before = umask(mask);
      absl::StatusOr<int> listener = ListenUnix({path_, mode, "", ""}, 1);
      umask(before);
      ASSERT_TRUE(listener.ok()) << listener.status();
      EXPECT_EQ(Stat().st_mode & 07777, mode);
      close(*listener);
    }
  }
}

TEST_F(UnixSocket, DescriptorIsNonBlockingAndCloseOnExec) {
  absl::StatusOr<int> listener = ListenUnix(At(path_), 1);
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_TRUE(fcntl(*listener, F_GETFL) & O_NONBLOCK);
  EXPECT_TRUE(fcntl(*listener, F_GETFD) & FD_CLOEXEC);
  close(*listener);
}

TEST_F(UnixSocket, StaleOneIsReplacedByListen) {
  LeaveStaleSocket();
  absl::StatusOr<int> listener = ListenUnix(At(path_), 1);
  ASSERT_TRUE(listener.ok()) << listener.status();
  int client = Connect();
  EXPECT_GE(client, 0);
  close(client);
  close(*listener);
}

// Who looks for it all the time finds the dead one or the new one, but never that there is none.
TEST_F(UnixSocket, StaleOneIsReplacedInOneGo) {
  LeaveStaleSocket();
  std::atomic<bool> done = false;
  int missing = 0;
  std::thread looking([&] {
    while (!done) missing += Exists() ? 0 : 1;
  });
  for (int i = 0; i < 300; ++i) LeaveStaleSocket();
  done = true;
  looking.join();
  EXPECT_EQ(missing, 0);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(UnixSocket, OneThatWasLeftHalfMadeIsInNobodysWay) {
  close(ListenUnix(At(path_ + ".new"), 1).value());
  absl::StatusOr<int> listener = ListenUnix(At(path_), 1);
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
  close(*listener);
}

TEST_F(UnixSocket, TakesNamesAndNumbersForOwnerAndGroup) {
  // Giving a file to oneself needs no privilege.
  std::string uid = std::to_string(geteuid());
  std::string gid = std::to_string(getegid());
  LeaveStaleSocket();
  EXPECT_TRUE(ApplySocketFile({path_, 0640, uid, gid}).ok());
  EXPECT_EQ(Stat().st_mode & 07777, mode_t{0640});
  // As names, where it is allowed: only root gives files away.
  absl::Status given = ApplySocketFile({path_, 0660, "nobody", "nogroup"});
  EXPECT_EQ(given.ok(), geteuid() == 0) << given;
  EXPECT_EQ(absl::IsPermissionDenied(given), geteuid() != 0) << given;
  if (given.ok()) {
    EXPECT_EQ(Stat().st_uid, 65534U);
    EXPECT_EQ(Stat().st_gid, 65534U);
    EXPECT_EQ(Stat().st_mode & 07777, mode_t{0660});
  }
}

TEST_F(UnixSocket, UnknownOwnerOrGroupIsNotFoundAndLeavesNothing) {
  absl::Status status = ListenUnix({path_, 0600, "no-such-user-here", ""}, 1).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_EQ(status.message(), "'" + path_ +
                                  "' cannot be given to user 'no-such-user-here': there is no "
                                  "such user");
  status = ListenUnix({path_, 0600, "", "no-such-group-here"}, 1).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_EQ(status.message(), "'" + path_ +
                                  "' cannot be given to group 'no-such-group-here': there is no "
                                  "such group");
  EXPECT_FALSE(Exists());
}

TEST_F(UnixSocket, OwnerThatMayNotBeGivenIsPermissionDenied) {
  const bool root = geteuid() == 0;
  if (root) {
    ASSERT_EQ(chown(folder_.c_str(), 65534, 65534), 0);
    ASSERT_EQ(seteuid(65534), 0);
  }
  absl::Status status = ListenUnix({path_, 0600, "root", ""}, 1).status();
  bool left = Exists();
  if (root) {
    ASSERT_EQ(seteuid(0), 0);
  }
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
  EXPECT_EQ(status.message(),
            "'" + path_ + "' cannot be given to user 'root': Operation not permitted");
  EXPECT_FALSE(left);
}

TEST(UnixSocketPath, TakesTheSchemeOff) {
  EXPECT_EQ(UnixSocketPath("unix:/run/x.sock").value(), "/run/x.sock");
  for (const char* bad : {"", "unix:", "/run/x.sock", "tcp:host:1", "Unix:/x"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(UnixSocketPath(bad).status())) << bad;
  }
}

}  // namespace
}  // namespace sasld
