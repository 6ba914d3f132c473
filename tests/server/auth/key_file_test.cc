#include "server/auth/key_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>

#include "server/sasl/hash.h"

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
  ASSERT_EQ(keys->keys.size(), 1u);
  const ClusterKey& key = keys->current();
  EXPECT_EQ(key.id, 1u);
  EXPECT_EQ(key.state.Reveal(), again->current().state.Reveal());
  const std::set<std::string_view> secrets = {key.state.Reveal(), key.pepper.Reveal(),
                                              key.record.Reveal(), keys->decoy.Reveal()};
  EXPECT_EQ(secrets.size(), 4u) << "each use has its own";
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

TEST_F(KeyFile, MayBeOneThatIsOnlyToBeRead) {
  ASSERT_TRUE(CreateKeyFile(path, entropy).ok());
  chmod(path.c_str(), 0400);
  EXPECT_TRUE(LoadKeyFile(path).ok());
  chmod(path.c_str(), 0440);  // ours, so that we may as well close it
  EXPECT_TRUE(absl::IsPermissionDenied(LoadKeyFile(path).status()));
}

TEST_F(KeyFile, AKeyThatCannotBeAddedOrTakenOutSaysHowItIsDoneByHand) {
  ASSERT_TRUE(CreateKeyFile(path, entropy).ok());
  ASSERT_TRUE(AddKey(path, entropy).ok());
  // A folder in the place of the draft.
  ASSERT_TRUE(std::filesystem::create_directories(path + ".new/x"));
  const auto added = AddKey(path, entropy);
  EXPECT_TRUE(absl::IsUnavailable(added.status()));
  EXPECT_THAT(std::string(added.status().message()),
              HasSubstr("add to it the line \"key 3 …\" with 32 random bytes in base64"));
  const auto removed = RemoveKey(path, 1);
  EXPECT_TRUE(absl::IsUnavailable(removed.status()));
  EXPECT_THAT(std::string(removed.status().message()),
              HasSubstr("take the line \"key 1 …\" out of it there, and restart sasld"));
  EXPECT_EQ(LoadKeyFile(path)->keys.size(), 2u);
}

TEST_F(KeyFile, JunkIsToldApart) {
  const std::string good = "sasld-key-1 " + std::string(43, 'A') + "=\n";
  Write(good);
  EXPECT_TRUE(LoadKeyFile(path).ok());
  for (const std::string& text : {std::string(), std::string("x"), good.substr(0, 30), good + "x",
                                  "sasld-key-3" + good.substr(11), std::string(10000, 'A'),
                                  std::string("sasld-key-1 AAAA\n")}) {
    Write(text);
    EXPECT_TRUE(absl::IsDataLoss(LoadKeyFile(path).status())) << text.size();
  }
}

// What its users' passwords were hashed with before there were ids.
TEST_F(KeyFile, TheFormBeforeIsKey1) {
  const Secret key(std::string(32, '\0'));
  Write("sasld-key-1 " + std::string(43, 'A') + "=\n");
  const auto keys = LoadKeyFile(path);
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_EQ(keys->current().id, 1u);
  EXPECT_EQ(keys->current().pepper.Reveal(), Hmac(Hash::kSha256, key.Reveal(), "pepper").Reveal());
  EXPECT_EQ(keys->current().state.Reveal(), Hmac(Hash::kSha256, key.Reveal(), "state").Reveal());
  EXPECT_EQ(keys->decoy.Reveal(), Hmac(Hash::kSha256, key.Reveal(), "decoy").Reveal());
  // A second key makes it a file of the new form, and changes nothing of the first.
  const auto two = AddKey(path, entropy);
  ASSERT_TRUE(two.ok()) << two.status();
  EXPECT_EQ(two->keys[0].pepper.Reveal(), keys->current().pepper.Reveal());
  EXPECT_EQ(two->decoy.Reveal(), keys->decoy.Reveal());
}

TEST_F(KeyFile, KeysComeAndGo) {
  ASSERT_TRUE(CreateKeyFile(path, entropy).ok());
  const auto one = LoadKeyFile(path);
  const auto two = AddKey(path, entropy);
  ASSERT_TRUE(two.ok()) << two.status();
  EXPECT_EQ(two->current().id, 2u);
  EXPECT_NE(two->current().record.Reveal(), two->keys[0].record.Reveal());
  EXPECT_EQ(two->StateKeys()[0].Reveal(), two->current().state.Reveal());
  EXPECT_EQ(two->StateKeys()[1].Reveal(), one->current().state.Reveal());

  EXPECT_TRUE(absl::IsFailedPrecondition(RemoveKey(path, 2).status())) << "the current one stays";
  EXPECT_TRUE(absl::IsNotFound(RemoveKey(path, 7).status()));
  ASSERT_TRUE(RemoveKey(path, 1).ok());
  const auto left = LoadKeyFile(path);
  ASSERT_EQ(left->keys.size(), 1u);
  EXPECT_EQ(left->current().record.Reveal(), two->current().record.Reveal());
  EXPECT_EQ(left->decoy.Reveal(), one->decoy.Reveal()) << "decoys never change";
  // An id is not given twice while its successor is there.
  EXPECT_EQ(AddKey(path, entropy)->current().id, 3u);
  struct stat facts {};
  ASSERT_EQ(stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1)
      << "no draft is left";
}

TEST_F(KeyFile, LinesThatMakeNoSenseAreToldApart) {
  const std::string key = std::string(43, 'A') + "=\n";
  const std::string good = "# mine\n\nsasld-keys-2\ndecoy " + key + "key 7 " + key + "key 2 " + key;
  Write(good);
  const auto keys = LoadKeyFile(path);
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_EQ(keys->current().id, 7u);
  const std::string head = "sasld-keys-2\n";
  for (const std::string& text :
       {head, head + "decoy " + key, head + "key 1 " + key, good + "key 7 " + key,
        good + "decoy " + key, good + "key 0 " + key, good + "key -1 " + key, good + "key x " + key,
        good + "key 4294967296 " + key, good + "key 3\n", good + "key 3 AAAA\n", good + "what\n",
        "key 1 " + key + good, good + std::string(40000, '#')}) {
    Write(text);
    EXPECT_TRUE(absl::IsDataLoss(LoadKeyFile(path).status())) << text;
  }
}

TEST_F(KeyFile, AFolderThatIsNotThereIsTold) {
  const absl::Status status = CreateKeyFile(folder + "/none/key", entropy);
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("make the folder " + folder + "/none"));
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
