// What every store must do with domains: the defaults of their accounts.
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/storage/accounts.h"
#include "tests/storage/store_conformance.h"

namespace sasld {
namespace {

std::vector<std::string> NamesOf(const absl::StatusOr<std::vector<Domain>>& page) {
  EXPECT_TRUE(page.ok()) << page.status();
  std::vector<std::string> names;
  if (page.ok()) {
    for (const Domain& domain : *page) names.push_back(domain.name);
  }
  return names;
}

// Empty for no domain.
std::vector<std::pair<std::string, std::string>> NamesAndDomains(
    const absl::StatusOr<std::vector<Account>>& page) {
  EXPECT_TRUE(page.ok()) << page.status();
  std::vector<std::pair<std::string, std::string>> pairs;
  if (page.ok()) {
    for (const Account& account : *page) {
      pairs.emplace_back(account.name.str(), account.domain ? account.domain->name : "");
    }
  }
  return pairs;
}

// The domain must be as `expected`, but for the epoch, which is that of the store.
void ExpectDomain(const Store& store, Domain expected, Epoch epoch) {
  expected.epoch = epoch;
  const auto found = store.FindDomain(expected.name);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(*found, expected);
}

TEST_P(StoreConformance, KeepsADomainWithEveryField) {
  EXPECT_TRUE(absl::IsNotFound(store().FindDomain("example.org").status()));
  const Domain domain = MakeDomain("example.org");
  const Epoch epoch = store().PutDomain(domain).value();
  EXPECT_GT(epoch, 0U);
  ExpectDomain(store(), domain, epoch);
  EXPECT_EQ(store().Count().value(), 0U) << "a domain is no account";
  const Domain bare{"example.net"};
  ExpectDomain(store(), bare, store().PutDomain(bare).value());
}

TEST_P(StoreConformance, ADomainIsMadeOnceAndChangedByWhoHasSeenIt) {
  Domain domain = MakeDomain("example.org");
  const Epoch first = store().PutDomain(domain).value();
  EXPECT_TRUE(absl::IsAlreadyExists(store().PutDomain(domain).status()));
  domain = MakeDomain("example.org", 2);
  for (const Epoch stale : {first + 1, Epoch{4711}}) {
    domain.epoch = stale;
    EXPECT_TRUE(absl::IsAborted(store().PutDomain(domain).status())) << stale;
  }
  ExpectDomain(store(), MakeDomain("example.org"), first);
  domain.epoch = first;
  const Epoch second = store().PutDomain(domain).value();
  EXPECT_GT(second, first);
  ExpectDomain(store(), domain, second);
  EXPECT_TRUE(absl::IsAborted(store().PutDomain(domain).status())) << "it has seen the first";
  domain.name = "example.net";
  EXPECT_TRUE(absl::IsNotFound(store().PutDomain(domain).status()));
  EXPECT_TRUE(absl::IsInternal(store().PutDomain(Domain{}).status()));
}

TEST_P(StoreConformance, EpochsOfDomainsAndAccountsAreOneCounter) {
  std::set<Epoch> seen;
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(seen.insert(store().PutDomain(MakeDomain("example.org")).value()).second);
    EXPECT_TRUE(seen.insert(store().Create(MakeAccount("ann")).value()).second);
    ASSERT_TRUE(store().RemoveDomain("example.org").ok());
    ASSERT_TRUE(store().Remove(Name("ann")).ok());
  }
}

TEST_P(StoreConformance, AnAccountIsReadWithItsDomain) {
  const Account ann = MakeAccount("ann@example.org");
  const Epoch ann_epoch = store().Create(ann).value();
  const auto domain_of = [this](std::string_view name) {
    const auto found = store().Find(Name(name));
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() ? found->domain : nullptr;
  };
  EXPECT_EQ(domain_of("ann@example.org"), nullptr);
  Domain domain = MakeDomain("example.org");
  domain.epoch = store().PutDomain(domain).value();
  ASSERT_NE(domain_of("ann@example.org"), nullptr);
  EXPECT_EQ(*domain_of("ann@example.org"), domain);
  ASSERT_NE(domain_of(ann.aliases[0].str()), nullptr) << "of the account's name, not of the alias";
  EXPECT_EQ(domain_of(ann.aliases[0].str())->name, "example.org");
  ExpectAccount(store().Find(ann.name).value(), ann, ann_epoch);
  EXPECT_EQ(*CloneAccount(store().Find(ann.name).value()).domain, domain);
  domain.enabled = !domain.enabled;
  domain.epoch = store().PutDomain(domain).value();
  EXPECT_EQ(*domain_of("ann@example.org"), domain);
  ASSERT_TRUE(store().RemoveDomain("example.org").ok());
  EXPECT_EQ(domain_of("ann@example.org"), nullptr);
  EXPECT_TRUE(absl::IsNotFound(store().RemoveDomain("example.org")));
}

// What follows the last @, byte by byte.
TEST_P(StoreConformance, EveryAccountHasTheDomainOfItsName) {
  for (const char* name : {"example.org", "example.org.uk", "ann", "org"}) {
    ASSERT_TRUE(store().PutDomain(MakeDomain(name)).ok());
  }
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"a@b@example.org", "example.org"},
      {"ann", ""},
      {"ann@", ""},
      {"ann@Example.org", ""},
      {"ann@example.net", ""},
      {"ann@example.org", "example.org"},
      {"ann@example.org.uk", "example.org.uk"}};
  for (const auto& [name, domain] : expected) {
    ASSERT_TRUE(store().Create(MakeBareAccount(name)).ok()) << name;
  }
  EXPECT_EQ(NamesAndDomains(store().List({})), expected);
  for (const auto& [name, domain] : expected) {
    const Account found = store().Find(Name(name)).value();
    EXPECT_EQ(found.domain ? found.domain->name : "", domain) << name;
  }
  const auto of_one = NamesAndDomains(store().List({"", "", 10, "example.org"}));
  EXPECT_EQ(of_one.size(), 2U);
  for (const auto& [name, domain] : of_one) EXPECT_EQ(domain, "example.org") << name;
}

TEST_P(StoreConformance, WritingAnAccountLeavesItsDomainAlone) {
  const Epoch epoch = store().PutDomain(MakeDomain("example.org")).value();
  Account ann = MakeAccount("ann@example.org");
  ann.domain = std::make_shared<const Domain>(MakeDomain("example.org", 2));
  ann.epoch = store().Create(ann).value();
  ASSERT_TRUE(store().Update(ann).ok());
  ExpectDomain(store(), MakeDomain("example.org"), epoch);
  EXPECT_EQ(store().Find(ann.name)->domain->epoch, epoch);
  ASSERT_TRUE(store().Remove(ann.name).ok());
  ExpectDomain(store(), MakeDomain("example.org"), epoch);
}

TEST_P(StoreConformance, ListsDomainsInPages) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(NamesOf(store().ListDomains("", 10)), Names{});
  for (const char* name : {"b.example", "a.example", "\u00e9.example", "c.example"}) {
    ASSERT_TRUE(store().PutDomain(MakeDomain(name)).ok());
  }
  EXPECT_EQ(NamesOf(store().ListDomains("", 0)), Names{});
  EXPECT_EQ(NamesOf(store().ListDomains("", 3)), (Names{"a.example", "b.example", "c.example"}));
  EXPECT_EQ(NamesOf(store().ListDomains("c.example", 3)), Names{"\u00e9.example"});
  EXPECT_EQ(NamesOf(store().ListDomains("b", 1)), Names{"b.example"});
  const Domain first = store().ListDomains("", 1)->front();
  ExpectDomain(store(), first, first.epoch);
}

}  // namespace
}  // namespace sasld
