#include "server/auth/access.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "tests/server/auth/parts.h"

namespace sasld {
namespace {

Account Ann() {
  Account ann{Username::Prepare("ann").value(), true, 1, kNow, kNow, {}};
  AppPassword& phone = ann.app_passwords.emplace_back();
  phone.id = "phone";
  return ann;
}

const LoginAttempt kBySmtp{"smtp", "192.0.2.7", "PLAIN", kNow};

std::optional<Reason> Why(const Account& account, const ProvedCredential& proved,
                          const LoginAttempt& attempt = kBySmtp) {
  const std::optional<Denial> denial = WhyNotLetIn(account, proved, attempt);
  if (!denial) return std::nullopt;
  return denial->reason;
}

LoginAttempt By(std::string_view service) { return {service, "192.0.2.7", "PLAIN", kNow}; }
LoginAttempt From(std::string_view address) { return {"smtp", address, "PLAIN", kNow}; }
LoginAttempt With(std::string_view mechanism) { return {"smtp", "192.0.2.7", mechanism, kNow}; }

const ProvedCredential kOwn = OwnPassword{};
const ProvedCredential kPhone = ByAppPassword{"phone"};
const ProvedCredential kCertificate = ByCertificate{};

TEST(Access, WithoutRulesEverybodyGetsIn) {
  for (const ProvedCredential& proved : {kOwn, kPhone, kCertificate}) {
    EXPECT_EQ(Why(Ann(), proved), std::nullopt) << NameOf(proved);
    EXPECT_EQ(Why(Ann(), proved, {"", "", "PLAIN", kNow}), std::nullopt) << NameOf(proved);
  }
}

TEST(Access, AnAccountsStandingHoldsForEveryCredential) {
  Account disabled = Ann();
  disabled.enabled = false;
  Account expired = Ann();
  expired.expires = kNow;
  Account later = Ann();
  later.expires = kNow + absl::Seconds(1);
  for (const ProvedCredential& proved : {kOwn, kPhone, kCertificate}) {
    EXPECT_EQ(Why(disabled, proved), Reason::kDisabled);
    EXPECT_EQ(Why(expired, proved), Reason::kAccountExpired);
    EXPECT_EQ(Why(later, proved), std::nullopt);
  }
}

TEST(Access, RulesOfTheOwnPasswordAreNotTheAppPasswords) {
  Account required = Ann();
  required.require_app_password = true;
  Account must_change = Ann();
  must_change.must_change_password = true;
  EXPECT_EQ(Why(required, kOwn), Reason::kAppPasswordRequired);
  EXPECT_EQ(Why(must_change, kOwn), Reason::kMustChangePassword);
  for (const ProvedCredential& proved : {kPhone, kCertificate}) {
    EXPECT_EQ(Why(required, proved), std::nullopt);
    EXPECT_EQ(Why(must_change, proved), std::nullopt);
  }
}

TEST(Access, AnAppPasswordHasItsOwnLimits) {
  Account ann = Ann();
  AppPassword& phone = ann.app_passwords[0];
  phone.expires = kNow;
  EXPECT_EQ(Why(ann, kPhone), Reason::kAppPasswordExpired);
  phone.expires = absl::InfiniteFuture();
  phone.access = {{"imap"}, {}, {}};
  EXPECT_EQ(Why(ann, kPhone), Reason::kServiceNotAllowed);
  EXPECT_EQ(Why(ann, kPhone, By("imap")), std::nullopt);
  EXPECT_EQ(Why(ann, kOwn), std::nullopt);
  phone.access = {{}, {"198.51.100.0/24"}, {}};
  EXPECT_EQ(Why(ann, kPhone), Reason::kNetworkNotAllowed);
  phone.access = {{}, {}, {"SCRAM-SHA-256"}};
  EXPECT_EQ(Why(ann, kPhone), Reason::kMechanismNotAllowed);
  EXPECT_EQ(Why(ann, ByAppPassword{"revoked"}), Reason::kCredentialChanged);
}

TEST(Access, TheAccountsLimitsHoldForItsAppPasswords) {
  Account ann = Ann();
  ann.access.services = {"imap"};
  ann.app_passwords[0].access.services = {"smtp"};
  for (const char* service : {"smtp", "imap"}) {
    EXPECT_EQ(Why(ann, kPhone, By(service)), Reason::kServiceNotAllowed) << service;
  }
}

TEST(Access, OneServiceHasManyNames) {
  Account ann = Ann();
  ann.access.services = {"smtp", "sieve"};
  for (const char* service :
       {"smtp", "SMTP", "submission", "submissions", "smtps", "sieve", "managesieve"}) {
    EXPECT_EQ(Why(ann, kOwn, By(service)), std::nullopt) << service;
  }
  for (const char* service : {"imap", "pop3", "", "smtpd"}) {
    EXPECT_EQ(Why(ann, kOwn, By(service)), Reason::kServiceNotAllowed) << service;
  }
  EXPECT_EQ(CanonicalService("POP"), "pop3");
  EXPECT_EQ(CanonicalService("imaps"), "imap");
  EXPECT_EQ(CanonicalService("xmpp"), "xmpp");
}

TEST(Access, SendOnlyIsSubmissionAndNothingElse) {
  Account ann = Ann();
  ann.send_only = true;
  for (const char* service : {"smtp", "submission"}) {
    EXPECT_EQ(Why(ann, kPhone, By(service)), std::nullopt) << service;
  }
  for (const char* service : {"imap", "pop3", "sieve", ""}) {
    EXPECT_EQ(Why(ann, kPhone, By(service)), Reason::kSendOnly) << service;
  }
}

TEST(Access, AnAddressThatIsNotKnownIsInNoNetwork) {
  Account ann = Ann();
  ann.access.networks = {"192.0.2.0/24", "2001:db8::/32"};
  for (const char* address : {"192.0.2.7", "::ffff:192.0.2.7", "2001:db8::9"}) {
    EXPECT_EQ(Why(ann, kOwn, From(address)), std::nullopt) << address;
  }
  for (const char* address : {"192.0.3.7", "2001:db9::9", "", "localhost"}) {
    EXPECT_EQ(Why(ann, kOwn, From(address)), Reason::kNetworkNotAllowed) << address;
  }
}

TEST(Access, AMechanismMeansItsPlusVariantToo) {
  Account ann = Ann();
  ann.access.mechanisms = {"SCRAM-SHA-256"};
  EXPECT_EQ(Why(ann, kOwn, With("SCRAM-SHA-256")), std::nullopt);
  EXPECT_EQ(Why(ann, kOwn, With("SCRAM-SHA-256-PLUS")), std::nullopt);
  for (const char* mechanism : {"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-512-PLUS"}) {
    EXPECT_EQ(Why(ann, kOwn, With(mechanism)), Reason::kMechanismNotAllowed) << mechanism;
  }
}

TEST(Access, WhoIsActedForNeedNotLogIn) {
  Account ann = Ann();
  ann.require_app_password = true;
  ann.must_change_password = true;
  ann.access = {{"imap"}, {"198.51.100.0/24"}, {"SCRAM-SHA-256"}};
  EXPECT_FALSE(WhyNotActedAs(ann, By("imap")).has_value());
  EXPECT_EQ(WhyNotActedAs(ann, By("smtp"))->reason, Reason::kServiceNotAllowed);
  ann.send_only = true;
  EXPECT_EQ(WhyNotActedAs(ann, By("imap"))->reason, Reason::kSendOnly);
  ann.enabled = false;
  EXPECT_EQ(WhyNotActedAs(ann, By("imap"))->reason, Reason::kDisabled);
}

Account OfDomain(Account account, Domain domain) {
  account.domain = std::make_shared<const Domain>(std::move(domain));
  return account;
}

TEST(Access, WhatADomainDemandsHoldsWhateverTheAccountSays) {
  Account disabled = OfDomain(Ann(), {.name = "example.org", .enabled = false});
  Account send_only = OfDomain(Ann(), {.name = "example.org", .send_only = true});
  Account required = OfDomain(Ann(), {.name = "example.org", .require_app_password = true});
  for (const ProvedCredential& proved : {kOwn, kPhone, kCertificate}) {
    EXPECT_EQ(Why(disabled, proved), Reason::kDomainDisabled);
    EXPECT_EQ(Why(send_only, proved, By("imap")), Reason::kSendOnly);
    EXPECT_EQ(Why(send_only, proved), std::nullopt);
  }
  EXPECT_EQ(Why(required, kOwn), Reason::kAppPasswordRequired);
  EXPECT_EQ(Why(required, kPhone), std::nullopt);
  EXPECT_EQ(Why(required, kCertificate), std::nullopt);
  EXPECT_EQ(WhyNotActedAs(disabled, By("imap"))->reason, Reason::kDomainDisabled);
  EXPECT_EQ(WhyNotActedAs(send_only, By("imap"))->reason, Reason::kSendOnly);
  EXPECT_FALSE(WhyNotActedAs(required, By("imap")).has_value());
}

TEST(Access, WhatTheAccountDemandsHoldsWhateverItsDomainSays) {
  Account ann = OfDomain(Ann(), {.name = "example.org"});
  EXPECT_EQ(Why(ann, kOwn), std::nullopt);
  ann.require_app_password = true;
  ann.send_only = true;
  EXPECT_EQ(Why(ann, kOwn), Reason::kAppPasswordRequired);
  EXPECT_EQ(Why(ann, kPhone, By("imap")), Reason::kSendOnly);
  ann.enabled = false;
  EXPECT_EQ(Why(ann, kOwn), Reason::kDisabled);
}

TEST(Access, AListOfTheAccountsOwnTakesThePlaceOfItsDomains) {
  const Domain domain{.name = "example.org",
                      .access = {{"imap"}, {"198.51.100.0/24"}, {"SCRAM-SHA-256"}}};
  Account ann = OfDomain(Ann(), domain);
  for (const ProvedCredential& proved : {kOwn, kPhone, kCertificate}) {
    ann.access = {};
    EXPECT_EQ(Why(ann, proved), Reason::kServiceNotAllowed);
    EXPECT_EQ(Why(ann, proved, {"imap", "198.51.100.7", "SCRAM-SHA-256-PLUS", kNow}), std::nullopt);
    ann.access.services = {"smtp"};
    EXPECT_EQ(Why(ann, proved, {"imap", "198.51.100.7", "SCRAM-SHA-256", kNow}),
              Reason::kServiceNotAllowed);
    EXPECT_EQ(Why(ann, proved), Reason::kNetworkNotAllowed);
    ann.access.networks = {"192.0.2.0/24"};
    EXPECT_EQ(Why(ann, proved), Reason::kMechanismNotAllowed);
    ann.access.mechanisms = {"PLAIN"};
    EXPECT_EQ(Why(ann, proved), std::nullopt);
  }
  ann.access = {};
  EXPECT_EQ(WhyNotActedAs(ann, By("smtp"))->reason, Reason::kServiceNotAllowed);
  EXPECT_FALSE(WhyNotActedAs(ann, By("imap")).has_value());
}

// An app password's own list is no account's: it narrows what the domain allows.
TEST(Access, ADomainsListsHoldForAppPasswordsWithListsOfTheirOwn) {
  Account ann = OfDomain(Ann(), {.name = "example.org", .access = {{"imap"}, {}, {}}});
  ann.app_passwords[0].access.services = {"smtp"};
  for (const char* service : {"smtp", "imap"}) {
    EXPECT_EQ(Why(ann, kPhone, By(service)), Reason::kServiceNotAllowed) << service;
  }
}

TEST(Access, IsPreparedOrRefusedBeforeItIsStored) {
  const Access prepared = PrepareAccess({{"Submission", "smtp", "IMAP"},
                                         {"192.0.2.7", "2001:DB8::/32"},
                                         {"scram-sha-256", "plain"}})
                              .value();
  EXPECT_EQ(prepared,
            (Access{{"smtp", "imap"}, {"192.0.2.7", "2001:db8::/32"}, {"SCRAM-SHA-256", "PLAIN"}}));
  EXPECT_EQ(PrepareAccess({{"a b"}, {}, {}}).status().message(),
            "services: \"a b\" is not a service such as smtp or imap");
  EXPECT_EQ(PrepareAccess({{}, {"192.0.2.1/24"}, {}}).status().message(),
            "networks: \"192.0.2.1/24\" is an address inside of a network; the network is "
            "\"192.0.2.0/24\"");
  EXPECT_EQ(PrepareAccess({{}, {}, {"KERBEROS"}}).status().message(),
            "mechanisms: \"KERBEROS\" is not a mechanism such as SCRAM-SHA-256 or PLAIN");
  EXPECT_FALSE(PrepareAccess({std::vector<std::string>(65, "x"), {}, {}}).ok());
}

}  // namespace
}  // namespace sasld
