#include "server/auth/senders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sasld {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Account Ann() {
  Account ann{Username::Prepare("ann@example.org").value(), true, 1, {}, {}, {}};
  ann.aliases = {Username::Prepare("a.smith@example.com").value(),
                 Username::Prepare("ann").value()};
  ann.senders = {"sales@example.net", "@example.edu"};
  return ann;
}

TEST(Senders, AreStoredOnceAndInLowerCase) {
  const auto prepared = PrepareSenders(
      {"Sales@Example.NET", "@EXAMPLE.edu", "sales@example.net", "two@signs@example.org"});
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  EXPECT_THAT(*prepared, ElementsAre("sales@example.net", "@example.edu", "two@signs@example.org"));
  EXPECT_TRUE(PrepareSenders({})->empty());
}

TEST(Senders, AreAddressesOrDomains) {
  for (const char* wrong : {"", "ann", "ann@", "@", "ann smith@example.org", "ann@example .org",
                            "a\x01@example.org", "\xff@example.org"}) {
    const absl::Status status = PrepareSenders({wrong}).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << wrong;
    EXPECT_THAT(std::string(status.message()), HasSubstr("senders: ")) << wrong;
  }
  const std::vector<std::string> many(257, "ann@example.org");
  EXPECT_THAT(std::string(PrepareSenders(many).status().message()), HasSubstr("more than 256"));
}

TEST(Senders, AccountsMaySendAsWhatIsTheirs) {
  const Account ann = Ann();
  EXPECT_EQ(WhySenderOf(ann, "Ann@Example.org"), "ann@example.org");
  EXPECT_EQ(WhySenderOf(ann, "ann+list@example.org"), "ann@example.org");
  EXPECT_EQ(WhySenderOf(ann, "ann++list@example.org"), "ann@example.org");
  EXPECT_EQ(WhySenderOf(ann, "a.smith@example.com"), "a.smith@example.com");
  EXPECT_EQ(WhySenderOf(ann, "sales+eu@example.net"), "sales@example.net");
  EXPECT_EQ(WhySenderOf(ann, "anybody@example.edu"), "@example.edu");
}

TEST(Senders, AccountsMaySendAsNothingElse) {
  const Account ann = Ann();
  for (const char* other :
       {"ben@example.org", "ann2@example.org", "+ann@example.org", "an+n@example.org",
        "ann@sub.example.org", "anybody@sub.example.edu", "@example.edu", "@example.org", "ann", "",
        "ann@", "ann@example.org ", "\xff@example.edu", "<ann@example.org>"}) {
    EXPECT_EQ(WhySenderOf(ann, other), "") << other;
  }
}

}  // namespace
}  // namespace sasld
