#include "server/auth/key_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace sasld {
namespace {

using testing::HasSubstr;

class KeyFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "sasld-key-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    path = folder + "/sasld.key";
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  void Write(std::string_view text, mode_t mode = 0600) {
    std::ofstream(path, std::ios::binary) << text;
    chmod(path.c_str(), mode);
  }
  Entropy entropy;
  std::string folder;
  std::string path;
};

TEST_F(KeyFile, IsMadeOncePrivateAndReadBack) {
  ASSERT_TRUE(CreateKeyFile(path, entropy).ok());
  struct stat facts {};
  ASSERT_EQ(stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600u);
  const auto keys = LoadKeyFile(path);
  ASSERT_TRUE(keys.ok()) << keys.status();
  const auto again = LoadKeyFile(path);
  EXPECT_EQ(keys->state.Reveal(), again->state.Reveal());
  EXPECT_NE(keys->state.Reveal(), keys->pepper.Reveal());
  EXPECT_NE(keys->decoy.Reveal(), keys->pepper.Reveal());
  EXPECT_TRUE(absl::IsAlreadyExists(CreateKeyFile(path, entropy)));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1)
      << "no draft is left";
}

TEST_F(KeyFile, AMissingOneIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(LoadKeyFile(path).status()));
}

TEST_F(KeyFile, OthersMayNotReadIt) {
  ASSERT_TRUE(CreateKeyFile(path, entropy).ok());
  chmod(path.c_str(), 0640);
  const auto keys = LoadKeyFile(path);
  EXPECT_TRUE(absl::IsPermissionDenied(keys.status()));
  EXPECT_THAT(std::string(keys.status().message()), HasSubstr("chmod 0600 " + path));
}

TEST_F(KeyFile, JunkIsToldApart) {
  const std::string good = "sasld-key-1 " + std::string(43, 'A') + "=\n";
  Write(good);
  EXPECT_TRUE(LoadKeyFile(path).ok());
  for (const std::string& text : {std::string(), std::string("x"), good.substr(0, 30), good + "x",
                                  "sasld-key-2" + good.substr(11), std::string(10000, 'A'),
                                  std::string("sasld-key-1 AAAA\n")}) {
    Write(text);
    EXPECT_TRUE(absl::IsDataLoss(LoadKeyFile(path).status())) << text.size();
  }
}

TEST_F(KeyFile, AFolderThatIsNotThereIsTold) {
  EXPECT_TRUE(absl::IsUnavailable(CreateKeyFile(folder + "/none/key", entropy)));
}

TEST(EntropyBytes, DoNotRepeat) {
  Entropy entropy;
  std::set<std::string> seen;
  for (int i = 0; i < 2000; ++i) EXPECT_TRUE(seen.insert(entropy.Bytes(16)).second);
  EXPECT_EQ(entropy.Bytes(5000).size(), 5000u);
  const std::string nonce = entropy.Nonce();
  EXPECT_EQ(nonce.size(), 24u);
  EXPECT_EQ(nonce.find(','), std::string::npos);
}

}  // namespace
}  // namespace sasld
