#include "proto/common/accounts.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sasld {
namespace {

TEST(Accounts, FindsUsersAndGroupsByNameAndNumber) {
  EXPECT_EQ(UserIdOf("root").value(), 0u);
  EXPECT_EQ(UserIdOf("0").value(), 0u);
  EXPECT_EQ(UserIdOf("4000000001").value(), 4000000001u) << "a number needs no account";
  EXPECT_EQ(GroupIdOf("root").value(), 0u);
  EXPECT_EQ(GroupIdOf("4000000001").value(), 4000000001u);
}

TEST(Accounts, KnowsNoOthers) {
  // 4294967295 means "leave it" to chown(2).
  for (const char* none : {"no-such-name-here", "", "-1", "4294967295", "99999999999", "0 "}) {
    EXPECT_TRUE(absl::IsNotFound(UserIdOf(none).status())) << none;
    EXPECT_TRUE(absl::IsNotFound(GroupIdOf(none).status())) << none;
  }
  EXPECT_TRUE(absl::IsNotFound(SystemUserOf(4000000001u).status()));
}

TEST(Accounts, NamesWhatHasAName) {
  EXPECT_EQ(UserName(0), "root");
  EXPECT_EQ(GroupName(0), "root");
  EXPECT_EQ(UserName(4000000001u), "4000000001");
  EXPECT_EQ(GroupName(4000000001u), "4000000001");
}

TEST(Accounts, HasItsOwnGroupFirst) {
  const SystemUser root = SystemUserOf(0).value();
  EXPECT_EQ(root.name, "root");
  const std::vector<gid_t> groups = GroupsOf(root);
  ASSERT_FALSE(groups.empty());
  EXPECT_EQ(groups[0], root.gid);
}

}  // namespace
}  // namespace sasld
