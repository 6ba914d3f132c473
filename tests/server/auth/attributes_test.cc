#include "server/auth/attributes.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/storage/accounts.h"

namespace sasld {
namespace {

Account Named(std::string_view name, std::map<std::string, std::string> of_its_domain) {
  Account account = MakeBareAccount(name);
  account.domain = std::make_shared<const Domain>(
      Domain{.name = std::string(DomainOf(account.name)), .attributes = std::move(of_its_domain)});
  return account;
}

std::string Expanded(std::string_view name, const std::string& value) {
  return AttributesOf(Named(name, {{"x", value}})).at("x").value;
}

TEST(Attributes, TheAccountsOwnWin) {
  Account ann = Named("ann@example.org", {{"home", "/srv/%d/%n"}, {"quota", "1G"}});
  ann.attributes = {{"quota", "5G"}, {"uid", "%u"}};
  using Expected = std::map<std::string, Attribute>;
  EXPECT_EQ(AttributesOf(ann), (Expected{{"home", {"/srv/example.org/ann", true}},
                                         {"quota", {"5G", false}},
                                         {"uid", {"%u", false}}}));
  ann.domain = nullptr;
  EXPECT_EQ(AttributesOf(ann), (Expected{{"quota", {"5G", false}}, {"uid", {"%u", false}}}));
}

TEST(Attributes, VariablesAreDovecots) {
  EXPECT_EQ(Expanded("ann@example.org", "%u|%n|%d|100%%"), "ann@example.org|ann|example.org|100%");
  EXPECT_EQ(Expanded("a@b@example.org", "%n at %d"), "a@b at example.org");
  EXPECT_EQ(Expanded("%u@example.org", "%n"), "%u") << "what was put in is not looked at again";
  EXPECT_EQ(Expanded("ann@example.org", "%%u"), "%u");
  EXPECT_EQ(Expanded("ann@example.org", ""), "");
}

TEST(Attributes, NamesAreWhatUserdbsHave) {
  for (const char* name : {"uid", "userdb_quota_rule", "a-b.c", "2", "namespace/inbox/prefix"}) {
    EXPECT_TRUE(CheckAttributeName(name).ok()) << name;
  }
  EXPECT_TRUE(CheckAttributeName(std::string(64, 'a')).ok());
  for (const std::string& name :
       {std::string(), std::string("Home"), std::string("a b"), std::string("a="),
        std::string(65, 'a'), std::string("\xc3\xa4")}) {
    const absl::Status status = CheckAttributeName(name);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << name;
    EXPECT_EQ(status.message().substr(0, 12), "attributes: ");
  }
}

TEST(Attributes, ValuesAreBounded) {
  EXPECT_TRUE(CheckAttributeValue("home", std::string(1024, 'x')).ok());
  EXPECT_EQ(CheckAttributeValue("home", std::string(1025, 'x')).message(),
            "attributes: \"home\" is longer than 1024 bytes");
  for (const char* value : {"a\nb", "a\tb", "\x7f"}) {
    EXPECT_EQ(CheckAttributeValue("home", value).message(),
              "attributes: \"home\" has a control character");
  }
  EXPECT_TRUE(CheckAttributeValue("home", "100%").ok()) << "an account's own has no variables";
}

TEST(Attributes, RefusesVariablesThatThereAreNone) {
  for (const char* value : {"", "/srv/%d/%n", "%u", "100%%", "%%%u"}) {
    EXPECT_TRUE(CheckAttributeDefault("home", value).ok()) << value;
  }
  for (const char* value : {"%", "100%", "%h", "%{user}", "%%%", "%U"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CheckAttributeDefault("home", value))) << value;
  }
  EXPECT_EQ(CheckAttributeDefault("home", "/srv/%h").message(),
            "attributes: \"home\" has the variable \"%h\"; there are %u, %n and %d, and %% for a "
            "percent sign");
  std::string many;
  for (size_t i = 0; i <= kMostVariables; ++i) many += "%u";
  EXPECT_FALSE(CheckAttributeDefault("home", many).ok());
}

}  // namespace
}  // namespace sasld
