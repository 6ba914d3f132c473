#include "proto/common/file_advice.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

namespace sasld {
namespace {

// A folder whose owner, which we are, has shut himself out, and no root that could pass all the
// same.
class FileAdvice : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "advice-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    was_root_ = geteuid() == 0;
    if (!was_root_) return;
    ASSERT_EQ(chown(folder_.c_str(), kNobody, kNobody), 0);
    ASSERT_EQ(setegid(kNobody), 0);
    ASSERT_EQ(seteuid(kNobody), 0);
  }
  void TearDown() override {
    if (was_root_) {
      ASSERT_EQ(seteuid(0), 0);
      ASSERT_EQ(setegid(0), 0);
    }
    chmod(folder_.c_str(), 0700);
    std::filesystem::remove_all(folder_);
  }
  // "… belongs to … with mode …, common_test runs as uid N: "
  static bool Tells(const std::string& text, const std::string& path, const std::string& mode) {
    return text.starts_with(path + " belongs to ") &&
           text.find(" with mode " + mode + ", common_test runs as uid " +
                     std::to_string(geteuid()) + ": ") != std::string::npos;
  }

  static constexpr uid_t kNobody = 54321;
  std::string folder_;
  bool was_root_ = false;
};

TEST_F(FileAdvice, OfOurOwnFolder) {
  ASSERT_EQ(chmod(folder_.c_str(), 0500), 0);
  const std::string why = WhyNotMade(folder_ + "/x", EACCES);
  EXPECT_TRUE(Tells(why, folder_, "0500")) << why;
  EXPECT_TRUE(why.ends_with(": chmod u+wx " + folder_)) << why;
}

TEST_F(FileAdvice, OfAFolderThatCannotBePassed) {
  ASSERT_EQ(mkdir((folder_ + "/below").c_str(), 0700), 0);
  ASSERT_EQ(chmod(folder_.c_str(), 0600), 0);
  for (const std::string& why :
       {WhyNotMade(folder_ + "/below/x", EACCES), WhyNotOpened(folder_ + "/below/x", EACCES),
        WhyNotRead(folder_ + "/below/x", EACCES)}) {
    EXPECT_TRUE(Tells(why, folder_, "0600")) << why;
    EXPECT_TRUE(why.ends_with(": chmod u+x " + folder_)) << why;
  }
}

TEST_F(FileAdvice, OfAFileOfOurs) {
  const std::string path = folder_ + "/it's here";
  ASSERT_EQ(mknod(path.c_str(), S_IFREG | 0200, 0), 0);
  EXPECT_TRUE(WhyNotRead(path, EACCES).ends_with(": chmod u+r '" + folder_ + "/it'\\''s here'"))
      << WhyNotRead(path, EACCES);
  EXPECT_TRUE(WhyNotOpened(path, EACCES).find(": chmod u+rw ") != std::string::npos);
}

TEST_F(FileAdvice, NeverGivesAwayAFolderOfTheSystem) {
  const std::string why = WhyNotMade("/usr/x", EACCES);
  EXPECT_TRUE(Tells(why, "/usr", "0755")) << why;
  EXPECT_EQ(why.find("chown"), std::string::npos) << why;
  EXPECT_NE(why.find(": install -d -o "), std::string::npos) << why;
  EXPECT_TRUE(why.ends_with(" /usr/sasld, and configure a path in there")) << why;
}

TEST_F(FileAdvice, OfOtherErrors) {
  EXPECT_EQ(WhyNotMade(folder_ + "/none/x", ENOENT),
            "No such file or directory; make the folder " + folder_ + "/none first");
  EXPECT_EQ(WhyNotMade(folder_ + "/x", EROFS),
            folder_ +
                " is on a read-only file system: mount a volume there (of a systemd unit: "
                "ReadWritePaths=), or configure another path");
  EXPECT_EQ(WhyNotMade(folder_ + "/x", ENOSPC), "No space left on device");
  EXPECT_EQ(WhyNotRead(folder_ + "/x", ENOENT), "No such file or directory");
  const std::string acl = WhyNotMade(folder_ + "/x", EACCES);
  EXPECT_TRUE(acl.starts_with("Permission denied, though owner and mode would let uid ")) << acl;
}

}  // namespace
}  // namespace sasld
