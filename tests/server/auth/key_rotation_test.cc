#include "server/auth/key_rotation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "storage/open.h"
#include "tests/server/auth/parts.h"
#include "tests/storage/accounts.h"

namespace sasld {
namespace {

using testing::HasSubstr;

// A key file, a database, and a sasld's parts over them that can be started anew.
class KeyRotationTest : public testing::Test {
 protected:
  struct Running {
    RecordKeys record_keys;
    std::unique_ptr<Store> store;
    std::unique_ptr<PasswordHasher> hasher;
    std::unique_ptr<KeyRotation> rotation;
  };

  void SetUp() override {
    std::string pattern = testing::TempDir() + "sasld-rotation-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    ASSERT_TRUE(CreateKeyFile(key_file(), entropy).ok());
    const auto running = Start();
    for (int i = 0; i < kUsers; ++i) {
      Account account{NameOf(i), true, 0, kNow, kNow, {}};
      Argon2idVerifier verifier =
          running->hasher->Hash(Secret("secret"), "0123456789abcdef").value();
      account.credential.argon2id = std::move(verifier.phc);
      account.credential.pepper_id = verifier.pepper_id;
      ASSERT_TRUE(running->store->Create(account).ok());
    }
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string key_file() const { return folder + "/sasld.key"; }
  static Username NameOf(int number) { return Name("user" + std::to_string(number)); }

  std::unique_ptr<Running> Start() {
    auto running = std::make_unique<Running>();
    const ClusterKeys keys = LoadKeyFile(key_file()).value();
    AddRecordKeys(keys, running->record_keys);
    auto store = OpenStore("sqlite:" + folder + "/sasld.db", StorePresence::kCreateIfMissing,
                           running->record_keys);
    EXPECT_TRUE(store.ok()) << store.status();
    running->store = *std::move(store);
    running->hasher = std::make_unique<PasswordHasher>(kCheapCost, PeppersOf(keys));
    running->rotation = std::make_unique<KeyRotation>(*running->store, running->record_keys,
                                                      *running->hasher, key_file(), entropy,
                                                      std::make_shared<spdlog::logger>("none"));
    return running;
  }

  static void ExpectPasswordsWork(const Running& running) {
    for (int i = 0; i < kUsers; i += kUsers / 10) {
      const auto account = running.store->Find(NameOf(i));
      ASSERT_TRUE(account.ok()) << account.status();
      EXPECT_TRUE(running.hasher->Verify(account->credential, Secret("secret")).value());
      EXPECT_FALSE(running.hasher->Verify(account->credential, Secret("wrong")).value());
    }
  }
  static uint64_t UsersUnder(const Running& running, uint32_t id) {
    const auto keys = running.rotation->Keys();
    for (const KeyRotation::Key& key : *keys) {
      if (key.id == id) return key.users;
    }
    return 0;
  }
  // Until all is sealed anew.
  static void RunToTheEnd(Running& running) {
    std::thread background([&running] { running.rotation->Run(); });
    while (running.rotation->Running()) std::this_thread::yield();
    running.rotation->Stop();
    background.join();
  }

  static constexpr int kUsers = 500;  // some batches
  Entropy entropy;
  std::string folder;
};

TEST_F(KeyRotationTest, SealsAllAnewAndRetiresTheOldKey) {
  {
    const auto running = Start();
    EXPECT_FALSE(running->rotation->Running());
    EXPECT_EQ(running->rotation->Rotate().value(), 2u);
    EXPECT_EQ(UsersUnder(*running, 1), 500u);
    ExpectPasswordsWork(*running);
    RunToTheEnd(*running);
    EXPECT_EQ(UsersUnder(*running, 2), 500u);
    ExpectPasswordsWork(*running);
    const absl::Status current = running->rotation->Retire(2);
    EXPECT_TRUE(absl::IsFailedPrecondition(current)) << current;
    EXPECT_TRUE(absl::IsNotFound(running->rotation->Retire(7)));
  }
  // Retired by a process that did not see the change.
  const auto running = Start();
  ASSERT_TRUE(running->rotation->Retire(1).ok());
  EXPECT_EQ(LoadKeyFile(key_file())->keys.size(), 1u);
  ExpectPasswordsWork(*running);
}

TEST_F(KeyRotationTest, TheRetiredKeyIsNeededByNobodyAfterARestart) {
  {
    const auto running = Start();
    ASSERT_TRUE(running->rotation->Rotate().ok());
    // Retiring does what is left to do.
    ASSERT_TRUE(running->rotation->Retire(1).ok());
  }
  const auto running = Start();
  EXPECT_FALSE(running->rotation->Running());
  ExpectPasswordsWork(*running);
}

TEST_F(KeyRotationTest, WhatWasStoppedGoesOnAtTheNextStart) {
  {
    const auto running = Start();
    ASSERT_TRUE(running->rotation->Rotate().ok());
    const auto left_alone = [](Account&) { return false; };
    ASSERT_TRUE(running->store->Reseal("", 100, left_alone).ok());
    EXPECT_EQ(UsersUnder(*running, 2), 100u);
  }
  {
    const auto running = Start();
    EXPECT_TRUE(running->rotation->Running());
    RunToTheEnd(*running);
    EXPECT_EQ(UsersUnder(*running, 2), 500u);
  }
  // Peppers were taken along, also of those that had been sealed anew without.
  const auto running = Start();
  ASSERT_TRUE(running->rotation->Retire(1).ok());
  ExpectPasswordsWork(*running);
}

TEST_F(KeyRotationTest, LogsInMeanwhile) {
  const auto running = Start();
  std::thread background([&running] { running->rotation->Run(); });
  for (int change = 0; change < 3; ++change) {
    ASSERT_TRUE(running->rotation->Rotate().ok());
    do {
      ExpectPasswordsWork(*running);
    } while (running->rotation->Running());
  }
  running->rotation->Stop();
  background.join();
  EXPECT_EQ(UsersUnder(*running, 4), 500u);
}

TEST_F(KeyRotationTest, AKeyFileThatCannotBeWrittenChangesNothing) {
  const auto running = Start();
  const std::string kept = folder + "/kept";
  std::filesystem::rename(key_file(), kept);
  EXPECT_FALSE(running->rotation->Rotate().ok());
  std::filesystem::rename(kept, key_file());
  EXPECT_EQ(running->record_keys.current(), 1u);
  EXPECT_FALSE(running->rotation->Running());
}

}  // namespace
}  // namespace sasld
