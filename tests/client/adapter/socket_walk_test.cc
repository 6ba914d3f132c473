#include "client/adapter/socket_walk.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "fake_sasl_server.h"
#include "proto/common/accounts.h"
#include "proto/common/unix_socket.h"

namespace sasld {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kStranger = 4000000001u;

// `queue` is a chroot, with a socket at private/auth. None of it needs root: users are only looked
// at.
class SocketWalk : public ::testing::Test {
 protected:
  SocketWalk() : queue_(folder_.File("queue")) {
    fs::create_directories(queue_ + "/private");
    close(ListenUnix({Socket(), 0666, "", ""}, 1).value());
    for (const std::string& path : {folder_.File("."), queue_, queue_ + "/private"}) {
      chmod(path.c_str(), 0755);
    }
    // What belongs to root cannot be closed to root, so it belongs to somebody else.
    owner_ = geteuid() == 0 ? 4711 : geteuid();
    group_ = geteuid() == 0 ? 4712 : getegid();
  }

  std::string Socket() const { return queue_ + "/private/auth"; }
  void Protect(const std::string& path, mode_t mode) const {
    if (geteuid() == 0) {
      ASSERT_EQ(chown(path.c_str(), owner_, group_), 0);
    }
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
  }
  std::string Belongs(const std::string& mode) const {
    return "it belongs to " + UserName(owner_) + ":" + GroupName(group_) + " and has mode " + mode;
  }

  // "what | fix", or "" without a fault.
  static std::string FaultAt(const SocketPlace& place, const SocketUser& user) {
    const std::optional<SocketFault> fault = FindSocketFault(place, user);
    return fault ? fault->what + " | " + fault->fix : "";
  }
  std::string Fault(const std::string& path, const std::string& chroot = "") const {
    return FaultAt({path, chroot}, {"postfix", kStranger, {kStranger}});
  }

  testing::TemporaryFolder folder_;
  const std::string queue_;
  uid_t owner_;
  gid_t group_;
};

TEST_F(SocketWalk, HasNothingToSayOfAGoodSocket) {
  EXPECT_EQ(Fault(Socket()), "");
  EXPECT_EQ(Fault("private/auth", queue_), "");
  EXPECT_EQ(Fault("private/auth", queue_ + "/"), "");
  EXPECT_EQ(Fault("/private//./auth", queue_), "");
  EXPECT_EQ(Fault("../private/../../private/auth", queue_), "") << "a chroot has nothing above it";
  EXPECT_EQ(Fault("/", "/"), "'/' is a folder, not a socket | Give the path of the socket in it.");
}

TEST_F(SocketWalk, NamesWhatIsNotThere) {
  EXPECT_EQ(Fault("private/aut", queue_),
            "'" + queue_ +
                "/private/aut' is not there | Start sasld-adapter with a [[listen]] that "
                "has path = \"" +
                queue_ + "/private/aut\"");
  EXPECT_EQ(Fault("pirvate/auth", queue_), "the folder '" + queue_ +
                                               "/pirvate' is not there | mkdir " + queue_ +
                                               "/pirvate, if the path is right");
  EXPECT_NE(Fault("x", folder_.File("nowhere")), "");
}

TEST_F(SocketWalk, KnowsThePathThatIsRightOutsideOnly) {
  const std::string fault = Fault(Socket(), queue_);
  EXPECT_NE(fault.find("the path is looked for inside of the chroot | Inside, it is /private/auth; "
                       "for Postfix, smtpd_sasl_path = private/auth"),
            std::string::npos)
      << fault;
}

TEST_F(SocketWalk, NamesWhatIsOfAnotherKind) {
  std::ofstream(queue_ + "/file") << "x";
  EXPECT_NE(Fault(queue_ + "/file").find("/file' is a file of another kind, not a socket"),
            std::string::npos);
  EXPECT_NE(Fault(queue_ + "/file/auth").find("/file' is not a folder, so nothing can be below it"),
            std::string::npos);
  EXPECT_NE(Fault(queue_ + "/private").find("/private' is a folder, not a socket"),
            std::string::npos);
}

TEST_F(SocketWalk, TellsHowAFolderLetsAUserThrough) {
  const std::string path = queue_ + "/private";
  const std::string closed = "'" + path + "' does not let postfix (uid ";
  Protect(path, 0700);
  EXPECT_EQ(Fault(Socket()), closed + "4000000001) through: " + Belongs("0700") + " | chmod o+x " +
                                 path + ", which lets everybody pass but list nothing");
  Protect(path, 0710);
  EXPECT_EQ(Fault(Socket()), closed + "4000000001) through: " + Belongs("0710") +
                                 " | usermod -aG " + GroupName(group_) +
                                 " postfix, and restart the mail server");
  EXPECT_EQ(FaultAt({Socket(), ""}, {"postfix", kStranger, {kStranger, group_}}), "");
  Protect(path, 0701);
  EXPECT_EQ(FaultAt({Socket(), ""}, {"postfix", kStranger, {group_}}),
            closed + "4000000001) through: " + Belongs("0701") + " | chmod g+x " + path);
  Protect(path, 0611);
  EXPECT_EQ(
      FaultAt({Socket(), ""}, {"postfix", owner_, {1}}),
      closed + std::to_string(owner_) + ") through: " + Belongs("0611") + " | chmod u+x " + path)
      << "others may pass, but the owner is not one of them";
  EXPECT_EQ(FaultAt({Socket(), ""}, {"root", 0, {0}}), "");
  Protect(path, 0755);
}

TEST_F(SocketWalk, TellsHowAUserMayWriteToASocket) {
  Protect(Socket(), 0600);
  const std::string closed =
      "'" + Socket() +
      "' may not be written to by postfix (uid 4000000001), which connecting takes: ";
  EXPECT_EQ(Fault(Socket()), closed + Belongs("0600") + " | chown postfix " + Socket() +
                                 "; so that it stays, owner = \"postfix\" in its [[listen]]");
  Protect(Socket(), 0660);
  EXPECT_EQ(Fault(Socket()), closed + Belongs("0660") + " | usermod -aG " + GroupName(group_) +
                                 " postfix, and restart the mail server");
  EXPECT_EQ(FaultAt({Socket(), ""}, {"", kStranger, {kStranger}}),
            "'" + Socket() + "' may not be written to by uid 4000000001, which connecting takes: " +
                Belongs("0660") + " | chown 4000000001 " + Socket() +
                "; so that it stays, owner = \"4000000001\" in its [[listen]]");
  Protect(Socket(), 0444);
  EXPECT_NE(FaultAt({Socket(), ""}, {"x", owner_, {1}}).find("| chmod u+rw "), std::string::npos);
  EXPECT_NE(FaultAt({Socket(), ""}, {"x", kStranger, {group_}}).find("| chmod g+rw "),
            std::string::npos);
}

TEST_F(SocketWalk, FollowsLinksAsFromInsideOfTheChroot) {
  fs::create_symlink("/private", queue_ + "/absolute");
  fs::create_symlink("private/auth", queue_ + "/relative");
  EXPECT_EQ(Fault("absolute/auth", queue_), "");
  EXPECT_EQ(Fault("relative", queue_), "");
  EXPECT_EQ(Fault(queue_ + "/relative"), "");
  // Outside, /private is another one, or none.
  EXPECT_NE(Fault(queue_ + "/absolute/auth"), "");
}

TEST_F(SocketWalk, TellsOfLinksThatLeadOutOfTheChrootOrNowhere) {
  const std::string outside = folder_.File("outside");
  close(ListenUnix({outside, 0666, "", ""}, 1).value());
  fs::create_symlink(outside, queue_ + "/absolute");
  fs::create_symlink("../outside", queue_ + "/relative");
  const std::string way_out = " leads out of the chroot: from inside, that is '";
  EXPECT_EQ(Fault(queue_ + "/absolute"), "");
  EXPECT_NE(Fault("absolute", queue_)
                .find("'" + queue_ + "/absolute' to '" + outside + "'" + way_out + queue_),
            std::string::npos)
      << Fault("absolute", queue_);
  EXPECT_EQ(Fault(queue_ + "/relative"), "");
  EXPECT_EQ(Fault("relative", queue_),
            "the symbolic link '" + queue_ + "/relative' to '../outside'" + way_out + queue_ +
                "/outside', which is not there | Let the socket itself be inside: path of its "
                "[[listen]].");
  fs::create_symlink("gone", queue_ + "/broken");
  EXPECT_EQ(Fault(queue_ + "/broken"),
            "the symbolic link '" + queue_ + "/broken' to 'gone' is broken: '" + queue_ +
                "/gone' is not there | Make what it points to, or rm " + queue_ + "/broken");
  fs::create_symlink("circle", queue_ + "/circle");
  EXPECT_NE(Fault("circle", queue_).find("lead in a circle | rm "), std::string::npos);
}

TEST_F(SocketWalk, WritesPathsSoThatAShellTakesThem) {
  const std::string odd = queue_ + "/it's";
  fs::create_directory(odd);
  Protect(odd, 0700);
  const std::string fault = Fault(odd + "/auth");
  EXPECT_NE(fault.find("| chmod o+x '" + queue_ + R"(/it'\''s', which)"), std::string::npos)
      << fault;
  Protect(odd, 0755);
}

}  // namespace
}  // namespace sasld
