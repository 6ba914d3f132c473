#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "adapter_fixture.h"
#include "client/adapter/peer_access.h"

namespace sasld {
namespace {

using testing::AdapterTest;
using testing::Mta;

TEST(PeerAccess, KnowsWhoIsAtTheOtherEnd) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const std::optional<Peer> peer = PeerOf(ends[0], PeerGroups::kWith);
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->pid, getpid());
  EXPECT_EQ(peer->uid, geteuid());
  EXPECT_EQ(peer->gid, getegid());
  std::vector<gid_t> groups(static_cast<size_t>(getgroups(0, nullptr)));
  groups.resize(static_cast<size_t>(getgroups(static_cast<int>(groups.size()), groups.data())));
  EXPECT_EQ(peer->groups, groups);
  close(ends[0]);
  close(ends[1]);
  EXPECT_FALSE(PeerOf(ends[0], PeerGroups::kWith));
}

TEST(PeerAccess, AdmitsByUserByGroupAndBySupplementaryGroup) {
  const Peer postfix{1, 105, 110, {110, 8}};
  EXPECT_TRUE(Admits({}, postfix));
  EXPECT_TRUE(Admits({{0, 105}, {}}, postfix));
  EXPECT_TRUE(Admits({{}, {110}}, postfix));
  EXPECT_TRUE(Admits({{}, {8}}, postfix));
  EXPECT_TRUE(Admits({{7}, {8}}, postfix)) << "either list is enough";
  EXPECT_FALSE(Admits({{0}, {}}, postfix));
  EXPECT_FALSE(Admits({{}, {105}}, postfix)) << "a user's number is no group's";
  EXPECT_FALSE(Admits({{110, 8}, {0}}, postfix));
  EXPECT_FALSE(Admits({{105}, {}}, {1, 0, 0, {0}})) << "root is as others are";
}

class AccessTest : public AdapterTest {
 protected:
  const std::string uid_ = std::to_string(geteuid());
  const std::string gid_ = std::to_string(getegid());
  const std::string other_ = std::to_string(geteuid() + 1);
};

TEST_F(AccessTest, ServesWhomTheSocketAllows) {
  StartAdapter("allow_users = [\"" + other_ + "\", \"" + uid_ + "\"]\n");
  EXPECT_NE(Mta(Path()).Greeting(), "");
}

TEST_F(AccessTest, ServesThoseOfAnAllowedGroup) {
  StartAdapter("allow_users = [\"" + other_ + "\"]\nallow_groups = [\"" + gid_ + "\"]\n");
  EXPECT_NE(Mta(Path()).Greeting(), "");
}

TEST_F(AccessTest, HangsUpOnOthersAtOnceAndSaysWhoItWas) {
  StartAdapter("allow_users = [\"" + other_ + "\"]\nallow_groups = [\"4000000001\"]\n");
  for (int i = 0; i < 200; ++i) EXPECT_EQ(Mta(Path()).Line(), "<closed>");
  StopAdapter();
  const std::string said = Path() + ": refused a client of uid " + uid_ + ", gid " + gid_ +
                           " (pid " + std::to_string(getpid()) +
                           "): allow_users and allow_groups of its [[listen]] do not have it";
  const std::string log = log_text_.str();
  const size_t first = log.find(said);
  ASSERT_NE(first, std::string::npos) << log;
  EXPECT_EQ(log.find(said, first + 1), std::string::npos) << "the log can be filled";
}

}  // namespace
}  // namespace sasld
