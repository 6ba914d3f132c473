#include "tests/storage/store_conformance.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/storage/accounts.h"

namespace sasld {
namespace {

std::vector<std::string> NamesOf(const absl::StatusOr<std::vector<Account>>& page) {
  EXPECT_TRUE(page.ok()) << page.status();
  std::vector<std::string> names;
  if (page.ok()) {
    for (const Account& account : *page) names.push_back(account.name.str());
  }
  return names;
}

void CreateAll(Store& store, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto epoch = store.Create(MakeAccount(name));
    ASSERT_TRUE(epoch.ok()) << epoch.status();
  }
}

TEST_P(StoreConformance, IsEmptyAtFirst) {
  EXPECT_TRUE(absl::IsNotFound(store().Find(Name("ann")).status()));
  EXPECT_EQ(store().Count().value(), 0U);
  EXPECT_TRUE(NamesOf(store().List({})).empty());
}

TEST_P(StoreConformance, FindsWhatWasCreatedWithEveryField) {
  const Account ann = MakeAccount("ann@example.org");
  const auto epoch = store().Create(ann);
  ASSERT_TRUE(epoch.ok()) << epoch.status();
  EXPECT_GT(*epoch, 0U);
  const auto found = store().Find(ann.name);
  ASSERT_TRUE(found.ok()) << found.status();
  ExpectAccount(*found, ann, *epoch);
}

TEST_P(StoreConformance, KeepsAnAccountWithoutCredential) {
  const Account bare = MakeBareAccount("bare");
  const auto epoch = store().Create(bare);
  ASSERT_TRUE(epoch.ok()) << epoch.status();
  ExpectAccount(store().Find(bare.name).value(), bare, *epoch);
}

TEST_P(StoreConformance, KeepsAnyPartOfACredentialByItself) {
  std::vector<Account> accounts;
  for (const Hash hash : kAllHashes) {
    Account& account = accounts.emplace_back(MakeBareAccount("only-" + std::string(NameOf(hash))));
    Account whole = MakeAccount("whole");
    ScramVerifiers& scram = account.credential.scram.emplace();
    scram.salt = whole.credential.scram->salt;
    scram.iterations = whole.credential.scram->iterations;
    scram.keys.emplace(hash, whole.credential.scram->keys.at(hash).Clone());
  }
  Account& cram_md5 = accounts.emplace_back(MakeBareAccount("only-cram-md5"));
  cram_md5.credential.cram_md5 = MakeAccount("whole").credential.cram_md5.Clone();
  Account& digest_md5 = accounts.emplace_back(MakeBareAccount("only-digest-md5"));
  digest_md5.credential.digest_md5 = std::move(MakeAccount("whole").credential.digest_md5);
  Account& no_realm = accounts.emplace_back(CloneAccount(digest_md5));
  no_realm.name = Name("digest-md5-of-no-realm");
  no_realm.credential.digest_md5->realm.clear();
  Account& argon2id = accounts.emplace_back(MakeBareAccount("only-argon2id"));
  argon2id.credential.argon2id = MakeAccount("whole").credential.argon2id;
  for (const Account& account : accounts) {
    SCOPED_TRACE(account.name.str());
    const auto epoch = store().Create(account);
    ASSERT_TRUE(epoch.ok()) << epoch.status();
    ExpectAccount(store().Find(account.name).value(), account, *epoch);
    // A whole one loses all but this part.
    Account changed = MakeAccount("changed");
    changed.epoch = store().Create(changed).value();
    Account part = CloneAccount(account);
    part.name = changed.name;
    part.epoch = changed.epoch;
    const Epoch last = store().Update(part).value();
    ExpectAccount(store().Find(part.name).value(), part, last);
    ASSERT_TRUE(store().Remove(part.name).ok());
  }
}

// Creating `account` with this change must fail, and the text must tell nothing of it.
template <typename Change>
void ExpectRefused(Store& store, Change change) {
  Account account = MakeAccount("ann");
  change(account.credential);
  const absl::Status status = store.Create(account).status();
  EXPECT_TRUE(absl::IsInternal(status)) << status;
  EXPECT_EQ(status.message().find("short"), std::string::npos) << status;
  EXPECT_EQ(store.Count().value(), 0U);
}

TEST_P(StoreConformance, RefusesToStoreHalfAVerifier) {
  for (const Hash hash : kAllHashes) {
    SCOPED_TRACE(NameOf(hash));
    const size_t bytes = HashBytes(hash);
    ExpectRefused(store(),
                  [&](Credential& of) { of.scram->keys.at(hash).server_key = Secret("short"); });
    ExpectRefused(store(), [&](Credential& of) { of.scram->keys.at(hash).stored_key = Secret(); });
    ExpectRefused(store(), [&](Credential& of) { of.scram->keys.at(hash) = ScramKeyPair{}; });
    // Together they have the right size.
    ExpectRefused(store(), [&](Credential& of) {
      of.scram->keys.at(hash) = ScramKeyPair{Secret::Zeros(bytes - 1), Secret::Zeros(bytes + 1)};
    });
  }
  ExpectRefused(store(), [](Credential& of) { of.scram->salt.clear(); });
  ExpectRefused(store(), [](Credential& of) { of.scram->iterations = 0; });
  ExpectRefused(store(), [](Credential& of) { of.cram_md5 = Secret("short"); });
  ExpectRefused(store(), [](Credential& of) { of.digest_md5->ha1 = Secret("short"); });
  ExpectRefused(store(), [](Credential& of) { of.digest_md5->ha1 = Secret(); });
}

TEST_P(StoreConformance, KeepsWholeSeconds) {
  Account account = MakeAccount("ann");
  account.created = absl::FromUnixSeconds(5) + absl::Milliseconds(999);
  account.password_changed = absl::FromUnixSeconds(-5);
  ASSERT_TRUE(store().Create(account).ok());
  const Account found = store().Find(account.name).value();
  EXPECT_EQ(found.created, absl::FromUnixSeconds(5));
  EXPECT_EQ(found.password_changed, absl::FromUnixSeconds(-5));
}

TEST_P(StoreConformance, DrawsTheEpochItself) {
  Account account = MakeAccount("ann");
  account.epoch = 4711;
  const Epoch epoch = store().Create(account).value();
  EXPECT_NE(epoch, 4711U);
  ExpectAccount(store().Find(account.name).value(), account, epoch);
}

TEST_P(StoreConformance, RefusesToCreateTwiceAndKeepsTheFirst) {
  const Account first = MakeAccount("ann", 1);
  const Epoch epoch = store().Create(first).value();
  const absl::Status status = store().Create(MakeAccount("ann", 2)).status();
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_EQ(status.message().find("ann"), std::string::npos) << "the text tells the user";
  ExpectAccount(store().Find(first.name).value(), first, epoch);
  EXPECT_EQ(store().Count().value(), 1U);
}

TEST_P(StoreConformance, UpdateWritesEveryField) {
  const Epoch created = store().Create(MakeAccount("ann", 1)).value();
  Account changed = MakeAccount("ann", 2);
  changed.epoch = created;
  const auto updated = store().Update(changed);
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_GT(*updated, created);
  ExpectAccount(store().Find(changed.name).value(), changed, *updated);
  // To a bare one and back: what is not there must go, and what is there must come.
  Account bare = MakeBareAccount("ann");
  bare.epoch = *updated;
  changed.epoch = store().Update(bare).value();
  ExpectAccount(store().Find(bare.name).value(), bare, changed.epoch);
  const Epoch last = store().Update(changed).value();
  ExpectAccount(store().Find(changed.name).value(), changed, last);
}

TEST_P(StoreConformance, UpdateWithAStaleEpochIsAbortedAndChangesNothing) {
  Account first = MakeAccount("ann", 1);
  first.epoch = store().Create(first).value();
  Account second = MakeAccount("ann", 2);
  second.epoch = first.epoch;
  const Epoch current = store().Update(second).value();
  for (const Epoch stale : {first.epoch, current + 1, Epoch{0}}) {
    first.epoch = stale;
    const absl::Status status = store().Update(first).status();
    EXPECT_TRUE(absl::IsAborted(status)) << status;
  }
  ExpectAccount(store().Find(second.name).value(), second, current);
}

TEST_P(StoreConformance, UpdateLeavesOthersAlone) {
  const Account ben = MakeAccount("ben", 3);
  const Epoch ben_epoch = store().Create(ben).value();
  Account ann = MakeAccount("ann", 1);
  ann.epoch = store().Create(ann).value();
  ASSERT_TRUE(store().Update(ann).ok());
  ExpectAccount(store().Find(ben.name).value(), ben, ben_epoch);
}

TEST_P(StoreConformance, NobodyCannotBeUpdatedOrRemoved) {
  EXPECT_TRUE(absl::IsNotFound(store().Update(MakeAccount("ann")).status()));
  EXPECT_TRUE(absl::IsNotFound(store().Remove(Name("ann"))));
  EXPECT_EQ(store().Count().value(), 0U);
}

TEST_P(StoreConformance, RemoveForgets) {
  CreateAll(store(), {"ann", "ben"});
  EXPECT_TRUE(store().Remove(Name("ann")).ok());
  EXPECT_TRUE(absl::IsNotFound(store().Find(Name("ann")).status()));
  EXPECT_TRUE(absl::IsNotFound(store().Remove(Name("ann"))));
  EXPECT_TRUE(store().Find(Name("ben")).ok());
  EXPECT_EQ(store().Count().value(), 1U);
}

TEST_P(StoreConformance, NoEpochIsUsedTwice) {
  std::set<Epoch> seen;
  for (int round = 0; round < 5; ++round) {
    Account ann = MakeAccount("ann", round + 1);
    ann.epoch = store().Create(ann).value();
    EXPECT_TRUE(seen.insert(ann.epoch).second) << ann.epoch;
    EXPECT_TRUE(seen.insert(store().Update(ann).value()).second);
    EXPECT_FALSE(store().Create(ann).ok());  // a refusal must not put the counter back
    ASSERT_TRUE(store().Remove(ann.name).ok());
  }
  EXPECT_EQ(seen.size(), 10U);
}

TEST_P(StoreConformance, TellsNamesApartByTheirBytes) {
  using std::string_literals::operator""s;
  const std::vector<std::string> names = {
      "ann",          "Ann",        "ann ",    "an", "a%", "a_", "%", "'; DROP TABLE account; --",
      "a\0b"s,        "a\0c"s,
      "\u00e4rger",   // precomposed
      "a\u0308rger",  // the same to the eye
      "\u65e5\u672c", "\U0001f600", "\xff\xfe"};
  CreateAll(store(), names);
  EXPECT_EQ(store().Count().value(), names.size());
  for (const std::string& name : names) {
    const auto found = store().Find(Name(name));
    ASSERT_TRUE(found.ok()) << found.status() << " " << name;
    EXPECT_EQ(found->name.str(), name);
  }
  EXPECT_TRUE(absl::IsNotFound(store().Find(Name("ANN")).status()));
  EXPECT_TRUE(absl::IsNotFound(store().Find(Name("a")).status()));
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(NamesOf(store().List({})), sorted);
}

TEST_P(StoreConformance, ListsByPrefixOfAnyBytes) {
  CreateAll(store(), {"a", "a%b", "aa", "ab", "b", "\u00e9", "\u00e9a", "\u00ea", "\xff",
                      "\xff\xff", "\xff\xff\x01"});
  const auto list = [this](std::string prefix) {
    return NamesOf(store().List({prefix, "", 1000}));
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(list("a"), (Names{"a", "a%b", "aa", "ab"}));
  EXPECT_EQ(list("a%"), Names{"a%b"});
  EXPECT_EQ(list("A"), Names{});
  EXPECT_EQ(list("b"), Names{"b"});
  EXPECT_EQ(list("\u00e9"), (Names{"\u00e9", "\u00e9a"}));
  EXPECT_EQ(list("\xc3"), (Names{"\u00e9", "\u00e9a", "\u00ea"}));  // half a character
  EXPECT_EQ(list("\xff"), (Names{"\xff", "\xff\xff", "\xff\xff\x01"}));
  EXPECT_EQ(list("\xff\xff"), (Names{"\xff\xff", "\xff\xff\x01"}));
  EXPECT_EQ(list("\xff\xff\xff"), Names{});
  EXPECT_EQ(list("zz"), Names{});
}

TEST_P(StoreConformance, ListsWholeAccounts) {
  const Account ann = MakeAccount("ann", 1);
  const Account bare = MakeBareAccount("bare");
  const Epoch ann_epoch = store().Create(ann).value();
  const Epoch bare_epoch = store().Create(bare).value();
  const auto page = store().List({});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->size(), 2U);
  ExpectAccount((*page)[0], ann, ann_epoch);
  ExpectAccount((*page)[1], bare, bare_epoch);
}

TEST_P(StoreConformance, ListsInPages) {
  CreateAll(store(), {"a", "ba", "bb", "bc", "bd", "c"});
  using Names = std::vector<std::string>;
  EXPECT_EQ(NamesOf(store().List({"", "", 0})), Names{});
  EXPECT_EQ(NamesOf(store().List({"", "", 2})), (Names{"a", "ba"}));
  EXPECT_EQ(NamesOf(store().List({"", "ba", 2})), (Names{"bb", "bc"}));
  EXPECT_EQ(NamesOf(store().List({"b", "", 3})), (Names{"ba", "bb", "bc"}));
  EXPECT_EQ(NamesOf(store().List({"b", "bc", 3})), Names{"bd"});
  EXPECT_EQ(NamesOf(store().List({"b", "bd", 3})), Names{});
  // `after` need not be a name, and may lie outside of the prefix.
  EXPECT_EQ(NamesOf(store().List({"b", "bbb", 3})), (Names{"bc", "bd"}));
  EXPECT_EQ(NamesOf(store().List({"b", "a", 2})), (Names{"ba", "bb"}));
  EXPECT_EQ(NamesOf(store().List({"b", "c", 2})), Names{});
  EXPECT_EQ(NamesOf(store().List({"", "c", 2})), Names{});
}

// One thread writes, eight read: a read that starts after a write returned sees it.
TEST_P(StoreConformance, ReadsSeeWhatWasWrittenBefore) {
  constexpr int kWrites = 100;
  Account account = MakeAccount("ann", 0);
  account.password_changed = absl::FromUnixSeconds(0);
  account.epoch = store().Create(account).value();
  std::atomic<int> written = 0;
  std::atomic<int> stale = 0;
  std::atomic<int> failed = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 8; ++i) {
    readers.emplace_back([this, i, &written, &stale, &failed, &account] {
      const Username name = account.name;
      while (written < kWrites) {
        const int before = written;
        if (i == 0) {
          const auto page = store().List({"ann", "", 10});
          if (!page.ok() || page->size() != 1) {
            ++failed;
          } else if (page->front().password_changed < absl::FromUnixSeconds(before)) {
            ++stale;
          }
          continue;
        }
        const auto found = store().Find(name);
        if (!found.ok()) {
          ++failed;
        } else if (found->password_changed < absl::FromUnixSeconds(before)) {
          ++stale;
        }
      }
    });
  }
  for (int i = 1; i <= kWrites; ++i) {
    account.password_changed = absl::FromUnixSeconds(i);
    const auto epoch = store().Update(account);
    EXPECT_TRUE(epoch.ok()) << epoch.status();
    account.epoch = epoch.value_or(0);
    written = i;
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(stale, 0);
  EXPECT_EQ(failed, 0);
}

TEST_P(StoreConformance, OfTwoWhoWriteAtOnceOneWins) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 5;
  const Account ann = MakeAccount("ann");
  std::atomic<int> created = 0;
  std::atomic<int> updated = 0;
  std::atomic<int> other = 0;
  std::vector<std::thread> writers;
  for (int i = 0; i < kThreads; ++i) {
    writers.emplace_back([this, &ann, &created, &updated, &other] {
      const auto epoch = store().Create(ann);
      if (epoch.ok()) ++created;
      if (!epoch.ok() && !absl::IsAlreadyExists(epoch.status())) ++other;
      for (int done = 0; done < kRounds;) {
        auto read = store().Find(ann.name);
        const absl::Status status = read.ok() ? store().Update(*read).status() : read.status();
        if (status.ok()) {
          ++done;
          ++updated;
        } else if (!absl::IsAborted(status)) {
          ++other;
          break;
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(created, 1);
  EXPECT_EQ(updated, kThreads * kRounds);
  EXPECT_EQ(other, 0);
}

}  // namespace
}  // namespace sasld
