// What was acknowledged stays, whatever happens to the process or the disk.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <string>

#include "tests/storage/accounts.h"
#include "tests/storage/sqlite/database_folder.h"

namespace sasld {
namespace {

std::string NameOf(uint32_t number) { return "user" + std::to_string(number); }

// Creates users from `next` on, tells each on `acknowledged` once it is done. Ends by being killed.
[[noreturn]] void WriteUntilKilled(const DatabaseFolder& folder, uint32_t next, int acknowledged) {
  auto store = folder.TryOpen();
  for (; store.ok(); ++next) {
    Account account = MakeAccount(NameOf(next), 1);
    const auto created = (*store)->Create(account);
    if (!created.ok()) break;
    account = MakeAccount(NameOf(next), 2);
    account.epoch = *created;
    if (!(*store)->Update(account).ok()) break;
    if (write(acknowledged, &next, sizeof next) != sizeof next) break;
  }
  _exit(1);
}

// Kills a writer after `kill_after` acknowledgements; returns the number after the last one.
uint32_t KillAWriter(const DatabaseFolder& folder, uint32_t next, int kill_after) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t writer = fork();
  if (writer == 0) {
    close(ends[0]);
    WriteUntilKilled(folder, next, ends[1]);
  }
  close(ends[1]);
  uint32_t number = 0;
  int read_so_far = 0;
  // Killed while it goes on writing, so what was acknowledged before it died is read to the end.
  while (read(ends[0], &number, sizeof number) == sizeof number) {
    EXPECT_EQ(number, next);
    next = number + 1;
    if (++read_so_far == kill_after) kill(writer, SIGKILL);
  }
  close(ends[0]);
  int status = 0;
  EXPECT_EQ(waitpid(writer, &status, 0), writer);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the writer failed";
  return next;
}

TEST(SqliteDurability, NothingAcknowledgedIsLostWhenKilled) {
  const DatabaseFolder folder;
  uint32_t next = 0;
  Epoch last_epoch = 0;
  for (int round = 0; round < 20; ++round) {
    const uint32_t end = KillAWriter(folder, next, 1 + round % 7);
    const auto store = folder.Open();
    ASSERT_NE(store, nullptr);
    std::set<Epoch> epochs;
    for (uint32_t number = 0; number < end; ++number) {
      const auto found = store->Find(Name(NameOf(number)));
      ASSERT_TRUE(found.ok()) << found.status() << " in round " << round;
      ExpectAccount(*found, MakeAccount(NameOf(number), 2), found->epoch);
      EXPECT_TRUE(epochs.insert(found->epoch).second);
      last_epoch = std::max(last_epoch, found->epoch);
    }
    // At most the one that was under way, in either state, but whole.
    const auto extra = store->Find(Name(NameOf(end)));
    if (extra.ok()) {
      last_epoch = std::max(last_epoch, extra->epoch);
      ExpectAccount(*extra, MakeAccount(NameOf(end), extra->enabled ? 1 : 2), extra->epoch);
      ASSERT_TRUE(store->Remove(extra->name).ok());
    }
    EXPECT_EQ(store->Count().value(), end);
    next = end;
    const Epoch drawn = store->Create(MakeAccount("probe")).value();
    EXPECT_GT(drawn, last_epoch) << "an epoch came back";
    ASSERT_TRUE(store->Remove(Name("probe")).ok());
  }
}

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
  LimitFileSize(256 << 10);
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
