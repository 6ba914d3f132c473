// What every store must do with many accounts: creating them together, listing a domain's.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/storage/accounts.h"
#include "tests/storage/store_conformance.h"

namespace sasld {
namespace {

using Names = std::vector<std::string>;

std::vector<Account> BareAccounts(const Names& names) {
  std::vector<Account> accounts;
  accounts.reserve(names.size());
  for (const std::string& name : names) accounts.push_back(MakeBareAccount(name));
  return accounts;
}

Names List(const Store& store, const AccountQuery& query) {
  const auto page = store.List(query);
  EXPECT_TRUE(page.ok()) << page.status();
  Names names;
  if (page.ok()) {
    for (const Account& account : *page) names.push_back(account.name.str());
  }
  return names;
}

TEST_P(StoreConformance, CreatesManyWithEveryField) {
  std::vector<Account> accounts;
  for (int i = 0; i < 200; ++i) {
    accounts.push_back(MakeAccount("user" + std::to_string(i) + "@example.org", 1 + i % 50));
  }
  const auto results = store().CreateMany(accounts, IfThere::kRefuse);
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ(results->size(), accounts.size());
  Epoch last = 0;
  for (size_t i = 0; i < accounts.size(); ++i) {
    ASSERT_TRUE((*results)[i].ok()) << (*results)[i].status();
    EXPECT_FALSE((*results)[i]->replaced);
    EXPECT_GT((*results)[i]->epoch, last);
    last = (*results)[i]->epoch;
    ExpectAccount(store().Find(accounts[i].name).value(), accounts[i], last);
    ExpectAccount(store().Find(accounts[i].aliases[0]).value(), accounts[i], last);
  }
  EXPECT_EQ(store().Count().value(), accounts.size());
  EXPECT_GT(store().Create(MakeAccount("late")).value(), last);
}

TEST_P(StoreConformance, CreatesNobodyOutOfNobodies) {
  const auto results = store().CreateMany({}, IfThere::kReplace);
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_TRUE(results->empty());
  EXPECT_EQ(store().Count().value(), 0U);
}

TEST_P(StoreConformance, CreatingManyLeavesOutWhoIsThereAlready) {
  const Account ann = MakeAccount("ann", 1);
  const Epoch epoch = store().Create(ann).value();
  std::vector<Account> accounts;
  accounts.push_back(MakeAccount("ann", 2));
  accounts.push_back(MakeAccount("ben", 2));
  accounts.push_back(MakeAccount("ben", 3));                  // twice in one batch
  accounts.push_back(MakeBareAccount(ann.aliases[0].str()));  // a name that is an alias
  const auto results = store().CreateMany(accounts, IfThere::kRefuse).value();
  ASSERT_EQ(results.size(), 4U);
  EXPECT_TRUE(absl::IsAlreadyExists(results[0].status())) << results[0].status();
  ASSERT_TRUE(results[1].ok()) << results[1].status();
  EXPECT_TRUE(absl::IsAlreadyExists(results[2].status())) << results[2].status();
  EXPECT_TRUE(absl::IsAlreadyExists(results[3].status())) << results[3].status();
  ExpectAccount(store().Find(ann.name).value(), ann, epoch);
  ExpectAccount(store().Find(Name("ben")).value(), accounts[1], results[1]->epoch);
  EXPECT_EQ(store().Count().value(), 2U);
}

TEST_P(StoreConformance, CreatingManyReplacesWhoIsThereIfAskedTo) {
  const Account ann = MakeAccount("ann", 1);
  const Epoch epoch = store().Create(ann).value();
  std::vector<Account> accounts;
  accounts.push_back(MakeAccount("ann", 2));
  accounts.push_back(MakeAccount("ben", 2));
  accounts.push_back(MakeAccount("ben", 3));
  const auto results = store().CreateMany(accounts, IfThere::kReplace).value();
  ASSERT_EQ(results.size(), 3U);
  for (const auto& result : results) ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(results[0]->replaced);
  EXPECT_GT(results[0]->epoch, epoch);
  EXPECT_FALSE(results[1]->replaced);
  EXPECT_TRUE(results[2]->replaced);
  ExpectAccount(store().Find(ann.name).value(), accounts[0], results[0]->epoch);
  ExpectAccount(store().Find(Name("ben")).value(), accounts[2], results[2]->epoch);
  EXPECT_EQ(store().Count().value(), 2U);
  // What was the first one's alias only is free.
  EXPECT_TRUE(absl::IsNotFound(store().Find(ann.aliases[0]).status()));
}

TEST_P(StoreConformance, CreatingManyWritesNoHalfAccount) {
  const Account ann = MakeAccount("ann", 1);
  ASSERT_TRUE(store().Create(ann).ok());
  for (const IfThere if_there : {IfThere::kRefuse, IfThere::kReplace}) {
    std::vector<Account> accounts = BareAccounts({"ben", "cid", "dan"});
    accounts[0].aliases = {Name("benny"), ann.aliases[0]};
    accounts[1].aliases = {Name("benny"), Name("cid")};
    accounts[2].credential.scram.emplace();  // no keys and no salt
    const auto results = store().CreateMany(accounts, if_there).value();
    EXPECT_TRUE(absl::IsAlreadyExists(results[0].status())) << results[0].status();
    EXPECT_TRUE(absl::IsAlreadyExists(results[1].status())) << results[1].status();
    EXPECT_TRUE(absl::IsInternal(results[2].status())) << results[2].status();
    for (const char* name : {"ben", "benny", "cid", "dan"}) {
      EXPECT_TRUE(absl::IsNotFound(store().Find(Name(name)).status())) << name;
    }
    EXPECT_EQ(store().Count().value(), 1U);
  }
}

TEST_P(StoreConformance, ListsADomain) {
  ASSERT_TRUE(
      store()
          .CreateMany(BareAccounts({"ann@example.org", "ann@example.net", "ben@example.org",
                                    "ben@sub.example.org", "zoe", "example.org", "a@b@example.org",
                                    "nobody@", "@example.org", "caf\u00e9@b\u00fccher.example"}),
                      IfThere::kRefuse)
          .ok());
  const auto list = [this](std::string domain) {
    return List(store(), {"", "", 1000, std::move(domain)});
  };
  EXPECT_EQ(list("example.org"),
            (Names{"@example.org", "a@b@example.org", "ann@example.org", "ben@example.org"}));
  EXPECT_EQ(list("sub.example.org"), Names{"ben@sub.example.org"});
  EXPECT_EQ(list("b\u00fccher.example"), Names{"caf\u00e9@b\u00fccher.example"});
  for (const char* none : {"Example.org", "org", "example", "@example.org", "b@example.org", "%"}) {
    EXPECT_EQ(list(none), Names{}) << none;
  }
  EXPECT_EQ(list("").size(), 10U);
}

// A NUL ends a text for SQL's own functions.
TEST_P(StoreConformance, ListsADomainOfAnyBytes) {
  using std::string_literals::operator""s;
  ASSERT_TRUE(store()
                  .CreateMany(BareAccounts({"a\0b@c\0d"s, "x@c\0e"s, "y@c"s, "\xff@\xfe"}),
                              IfThere::kRefuse)
                  .ok());
  EXPECT_EQ(List(store(), {"", "", 1000, "c\0d"s}), Names{"a\0b@c\0d"s});
  EXPECT_EQ(List(store(), {"", "", 1000, "c"}), Names{"y@c"});
  EXPECT_EQ(List(store(), {"", "", 1000, "\xfe"}), Names{"\xff@\xfe"});
}

TEST_P(StoreConformance, ListsADomainInPagesAndByPrefix) {
  Names all;
  for (const char* name : {"ab", "aa", "b", "ca", "cb", "cc"}) {
    all.push_back(name + std::string("@example.org"));
    ASSERT_TRUE(store().Create(MakeBareAccount(all.back())).ok());
    ASSERT_TRUE(store().Create(MakeBareAccount(name + std::string("@example.net"))).ok());
  }
  std::sort(all.begin(), all.end());
  Names paged;
  for (AccountQuery query{"", "", 2, "example.org"};; query.after = paged.back()) {
    const Names page = List(store(), query);
    paged.insert(paged.end(), page.begin(), page.end());
    if (page.size() < 2) break;
  }
  EXPECT_EQ(paged, all);
  EXPECT_EQ(List(store(), {"a", "", 9, "example.org"}),
            (Names{"aa@example.org", "ab@example.org"}));
  EXPECT_EQ(List(store(), {"c", "ca@example.org", 1, "example.org"}), Names{"cb@example.org"});
  EXPECT_EQ(List(store(), {"d", "", 9, "example.org"}), Names{});
}

TEST_P(StoreConformance, ADomainLosesAndGetsUsersAsTheyChange) {
  Account ann = MakeAccount("ann@example.org");
  ann.epoch = store().Create(ann).value();
  ASSERT_TRUE(store().Update(ann).ok());
  EXPECT_EQ(List(store(), {"", "", 9, "example.org"}), Names{"ann@example.org"});
  ASSERT_TRUE(store().Remove(ann.name).ok());
  EXPECT_EQ(List(store(), {"", "", 9, "example.org"}), Names{});
}

}  // namespace
}  // namespace sasld
