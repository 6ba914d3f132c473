// SIGKILL at any moment of a writer: what it acknowledged is there, and nothing by half.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "storage/sqlite/sqlite_store.h"
#include "tests/storage/accounts.h"
#include "tests/storage/sqlite/database_folder.h"

namespace sasld {
namespace {

#if defined(SASLD_SANITIZED)
constexpr int kKills = 200;  // a fork takes many times as long there
#else
constexpr int kKills = 1000;
#endif
// A few writes, so that many kills hit the log while it is folded back.
constexpr int kFoldPages = 12;
constexpr int kTogether = 3;

// Small, as a thousand writers write some each; what it says is its version.
Account Version(const std::string& name, const std::string& version) {
  Account account = MakeBareAccount(name);
  account.attributes = {{"version", version}};
  return account;
}

// What is written as number `number`: one account that is made, changed and, each third time,
// removed; each fourth time some that are made together.
std::string Single(uint32_t number) { return "single" + std::to_string(number); }
std::string Together(uint32_t number, int which) {
  return "together" + std::to_string(number) + "-" + std::to_string(which);
}
bool IsRemoved(uint32_t number) { return number % 3 == 0; }
bool HasTogether(uint32_t number) { return number % 4 == 0; }

bool WriteNumber(Store& store, uint32_t number) {
  const auto created = store.Create(Version(Single(number), "1"));
  if (!created.ok()) return false;
  Account changed = Version(Single(number), "2");
  changed.epoch = *created;
  if (!store.Update(changed).ok()) return false;
  if (IsRemoved(number) && !store.Remove(changed.name).ok()) return false;
  if (!HasTogether(number)) return true;
  std::vector<Account> together;
  for (int i = 0; i < kTogether; ++i) together.push_back(Version(Together(number, i), "1"));
  return store.CreateMany(together, IfThere::kRefuse).ok();
}

// From `next` on; tells each on `acknowledged` once it is done. Ends by being killed.
[[noreturn]] void WriteUntilKilled(const DatabaseFolder& folder, uint32_t next, int acknowledged) {
  const auto store = OpenSqliteStore(folder.file(), StorePresence::kCreateIfMissing,
                                     SampleRecordKeys(), kFoldPages);
  for (; store.ok() && WriteNumber(**store, next); ++next) {
    if (write(acknowledged, &next, sizeof next) != sizeof next) break;
  }
  _exit(1);
}

// Kills a writer that long after so many acknowledgements; returns the number after the last one.
uint32_t KillAWriter(const DatabaseFolder& folder, uint32_t next, int acknowledgements,
                     useconds_t later) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t writer = fork();
  if (writer == 0) {
    close(ends[0]);
    WriteUntilKilled(folder, next, ends[1]);
  }
  close(ends[1]);
  uint32_t number = 0;
  const auto hear = [&] {
    if (read(ends[0], &number, sizeof number) != sizeof number) return false;
    EXPECT_EQ(number, next);
    next = number + 1;
    return true;
  };
  while (acknowledgements-- > 0 && hear()) {
  }
  usleep(later);  // the moment is meant to be any
  kill(writer, SIGKILL);
  while (hear()) {  // what it still said before it died
  }
  close(ends[0]);
  int status = 0;
  EXPECT_EQ(waitpid(writer, &status, 0), writer);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the writer failed";
  return next;
}

class Survivors {
 public:
  explicit Survivors(Store& store) : store_(store) {}

  // Takes part in the expected count what is there. Epochs are never given out twice, so each is
  // above what was seen before its writer began.
  void ExpectNumber(uint32_t number) {
    const auto found = store_.Find(Name(Single(number)));
    if (IsRemoved(number)) {
      EXPECT_TRUE(absl::IsNotFound(found.status())) << number << ": " << found.status();
    } else {
      Expect(found, Version(Single(number), "2"));
    }
    if (!HasTogether(number)) return;
    for (int i = 0; i < kTogether; ++i) {
      Expect(store_.Find(Name(Together(number, i))), Version(Together(number, i), "1"));
    }
  }

  // The number that was under way may have come to any of its writes; none is there by half. What
  // is there is removed, so that the next writer finds none of it.
  void RemoveUnfinished(uint32_t number) {
    if (const auto found = store_.Find(Name(Single(number))); found.ok()) {
      const std::string version = found->attributes.at("version");
      ExpectAccount(*found, Version(Single(number), version == "1" ? "1" : "2"), found->epoch);
      highest_ = std::max(highest_, found->epoch);
      EXPECT_TRUE(store_.Remove(found->name).ok());
    }
    int there = 0;
    for (int i = 0; i < kTogether; ++i) {
      const auto found = store_.Find(Name(Together(number, i)));
      if (!found.ok()) continue;
      ++there;
      highest_ = std::max(highest_, found->epoch);
      EXPECT_TRUE(store_.Remove(found->name).ok());
    }
    EXPECT_TRUE(there == 0 || there == kTogether) << there << " of a batch";
  }

  uint64_t expected() const { return expected_; }
  Epoch highest() const { return highest_; }

 private:
  void Expect(const absl::StatusOr<Account>& found, const Account& expected) {
    ++expected_;
    ASSERT_TRUE(found.ok()) << expected.name.str() << ": " << found.status();
    ExpectAccount(*found, expected, found->epoch);
    highest_ = std::max(highest_, found->epoch);
  }

  Store& store_;
  uint64_t expected_ = 0;
  Epoch highest_ = 0;
};

void ExpectWhole(const DatabaseFolder& folder) {
  SQLite::Database database(folder.file(), SQLite::OPEN_READWRITE);
  EXPECT_EQ(database.execAndGet("PRAGMA integrity_check").getString(), "ok");
  EXPECT_EQ(database.execAndGet("SELECT count(*) FROM account").getInt64(),
            database.execAndGet("SELECT value FROM counter WHERE name = 'accounts'").getInt64());
}

TEST(KilledWriter, NothingAcknowledgedIsLostInAThousandKills) {
  // What a process wrote stays when it is killed, whatever it is written to. What a disk keeps is
  // another question: power_loss_test.cc.
  const DatabaseFolder folder(InMemory());
  std::minstd_rand random(20261124);
  uint32_t next = 0;
  uint32_t waited_for = 0;
  uint64_t kept = 0;  // by all rounds before
  Epoch highest = 0;
  for (int round = 0; round < kKills && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    const uint32_t begin = next;
    const int acknowledgements = static_cast<int>(random() % 3);
    waited_for += static_cast<uint32_t>(acknowledgements);
    next = KillAWriter(folder, begin, acknowledgements, static_cast<useconds_t>(random() % 1500));
    const auto store = folder.Open();
    ASSERT_NE(store, nullptr);
    Survivors survivors(*store);
    survivors.RemoveUnfinished(next);
    for (uint32_t number = begin; number < next; ++number) survivors.ExpectNumber(number);
    kept += survivors.expected();
    EXPECT_EQ(store->Count().value(), kept);
    highest = std::max(highest, survivors.highest());
    const Epoch drawn = store->Create(MakeBareAccount("probe")).value();
    EXPECT_GT(drawn, highest) << "an epoch came back";
    highest = drawn;
    ASSERT_TRUE(store->Remove(Name("probe")).ok());
  }
  // What was there once is there at the end.
  {
    const auto store = folder.Open();
    Survivors survivors(*store);
    for (uint32_t number = 0; number < next; ++number) survivors.ExpectNumber(number);
    EXPECT_EQ(store->Count().value(), survivors.expected());
  }
  ExpectWhole(folder);
  EXPECT_GE(next, waited_for) << "the writers were killed before they could write";
}

}  // namespace
}  // namespace sasld
