// What becomes of a store whose disk is full.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <string>

#include "tests/storage/accounts.h"
#include "tests/storage/sqlite/database_folder.h"

namespace sasld {
namespace {

// As a full disk, but without a disk: no file of this process may grow beyond `bytes`.
void LimitFileSize(rlim_t bytes) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  limit.rlim_cur = bytes;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

class FullDisk : public testing::Test {
 protected:
  void SetUp() override {
    signal(SIGXFSZ, SIG_IGN);
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before_), 0);
  }
  void TearDown() override {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, SIG_DFL);
  }
  rlimit before_{};
};

TEST_F(FullDisk, RefusesWritesClearlyAndGoesOnReading) {
  const DatabaseFolder folder;
  auto store = folder.Open();
  LimitFileSize(1024 << 10);
  std::vector<Account> kept;
  absl::Status refusal;
  for (int i = 0; i < 1000 && refusal.ok(); ++i) {
    Account account = MakeAccount("user" + std::to_string(i), i % 100);
    const auto epoch = store->Create(account);
    if (epoch.ok()) {
      account.epoch = *epoch;
      kept.push_back(std::move(account));
    } else {
      refusal = epoch.status();
    }
  }
  EXPECT_TRUE(absl::IsUnavailable(refusal)) << refusal;
  const std::string text(refusal.message());
  EXPECT_NE(text.find(folder.file()), std::string::npos) << text;
  EXPECT_NE(text.find("nothing was changed; is the disk full"), std::string::npos) << text;
  EXPECT_EQ(text.find("user"), std::string::npos) << "the text tells the user: " << text;
  ASSERT_GT(kept.size(), 10U);

  const auto expect_all = [&kept](const Store& from) {
    EXPECT_EQ(from.Count().value(), kept.size());
    for (const Account& account : kept) {
      ExpectAccount(from.Find(account.name).value(), account, account.epoch);
    }
  };
  expect_all(*store);
  EXPECT_TRUE(absl::IsUnavailable(store->Update(kept[0]).status()));
  EXPECT_TRUE(absl::IsUnavailable(store->Remove(kept[1].name)));
  expect_all(*store);

  // Room again: writes go on, with no restart.
  setrlimit(RLIMIT_FSIZE, &before_);
  kept[0].epoch = store->Update(kept[0]).value();
  Account late = MakeAccount("late");
  late.epoch = store->Create(late).value();
  kept.push_back(std::move(late));
  expect_all(*store);
  store.reset();
  expect_all(*folder.Open());
}

TEST_F(FullDisk, RefusesToStartClearlyAndStartsLater) {
  const DatabaseFolder folder;
  LimitFileSize(0);
  const absl::Status status = folder.TryOpen().status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  const std::string text(status.message());
  EXPECT_NE(text.find(folder.file()), std::string::npos) << text;
  EXPECT_NE(text.find("is the disk full"), std::string::npos) << text;
  setrlimit(RLIMIT_FSIZE, &before_);
  EXPECT_TRUE(folder.Open()->Create(MakeAccount("ann")).ok());
}

}  // namespace
}  // namespace sasld
