#include "server/auth/certificate_rules.h"

#include <gtest/gtest.h>

namespace sasld {
namespace {

using std::string_literals::operator""s;

Username Name(std::string_view name) { return Username::Prepare(name).value(); }

ClientCertificate Certificate() {
  return {std::string(32, 'f'), "Ann Smith", {"Ann@Example.ORG", "second@example.org"}, "ann"};
}

std::string NameBy(std::vector<CertificateName> names, const ClientCertificate& certificate) {
  const auto account = CertificateRules{{}, std::move(names)}.AccountOf(certificate);
  return account ? account->str() : "nobody";
}

TEST(CertificateRules, WithoutRulesNobodyIsKnown) {
  EXPECT_EQ(NameBy({}, Certificate()), "nobody");
}

TEST(CertificateRules, TakesTheFirstNameThatTheCertificateHas) {
  using enum CertificateName;
  EXPECT_EQ(NameBy({kEmail}, Certificate()), "ann@example.org");
  EXPECT_EQ(NameBy({kUsername}, Certificate()), "ann");
  EXPECT_EQ(NameBy({kCommonName}, Certificate()), "ann smith");
  EXPECT_EQ(NameBy({kUsername, kEmail}, Certificate()), "ann");
  ClientCertificate bare = Certificate();
  bare.emails.clear();
  EXPECT_EQ(NameBy({kEmail}, bare), "nobody");
  EXPECT_EQ(NameBy({kEmail, kCommonName}, bare), "ann smith");
  bare.common_name.clear();
  EXPECT_EQ(NameBy({kEmail, kCommonName, kUsername}, bare), "ann");
  bare.username.clear();
  EXPECT_EQ(NameBy({kEmail, kCommonName, kUsername}, bare), "nobody");
}

// Not the next name: who has a name like this means no good.
TEST(CertificateRules, ANameThatCannotBeAnAccountsEndsIt) {
  using enum CertificateName;
  for (const std::string& email : {"ann@example.org\0@evil.example"s, "\xff"s,
                                   "\u202egro.elpmaxe@nna"s, std::string(256, 'a')}) {
    ClientCertificate certificate = Certificate();
    certificate.emails = {email, "ann@example.org"};
    EXPECT_EQ(NameBy({kEmail, kUsername}, certificate), "nobody");
  }
}

TEST(CertificateRules, AFingerprintGoesBeforeAllNames) {
  CertificateRules rules{{}, {CertificateName::kEmail}};
  rules.accounts.emplace(std::string(32, 'f'), Name("boss"));
  EXPECT_EQ(rules.AccountOf(Certificate())->str(), "boss");
  ClientCertificate unnameable = Certificate();
  unnameable.emails = {"\xff"};
  EXPECT_EQ(rules.AccountOf(unnameable)->str(), "boss");
  ClientCertificate other = Certificate();
  other.sha256_fingerprint.back() = 'g';
  EXPECT_EQ(rules.AccountOf(other)->str(), "ann@example.org");
  other.sha256_fingerprint.clear();  // the mail server does not know it
  EXPECT_EQ(rules.AccountOf(other)->str(), "ann@example.org");
}

}  // namespace
}  // namespace sasld
