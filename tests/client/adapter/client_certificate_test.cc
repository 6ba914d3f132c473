#include "client/adapter/client_certificate.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "tests/client/adapter/example_certificate.h"

namespace sasld {
namespace {

TEST(ClientCertificate, YieldsWhatMayNameAnAccount) {
  const auto facts = ReadClientCertificate(kExampleCertificate);
  ASSERT_TRUE(facts);
  EXPECT_EQ(absl::BytesToHexString(facts->sha256_fingerprint()), kExampleFingerprint);
  EXPECT_EQ(facts->common_name(), "Ann Example");
  ASSERT_EQ(facts->emails_size(), 2);
  EXPECT_EQ(facts->emails(0), "ann@example.org");
  EXPECT_EQ(facts->emails(1), "ann@example.net");
  EXPECT_EQ(facts->username(), "");
}

TEST(ClientCertificate, TheFirstOfAChainIsTheClients) {
  const auto facts =
      ReadClientCertificate(std::string(kExampleCertificate) + "-----BEGIN CERTIFICATE-----\n");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->common_name(), "Ann Example");
}

TEST(ClientCertificate, IsNothingElse) {
  const std::string pem(kExampleCertificate);
  for (const std::string& text :
       {std::string(), std::string("junk"), pem.substr(0, pem.size() / 2),
        std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")}) {
    EXPECT_FALSE(ReadClientCertificate(text));
  }
}

}  // namespace
}  // namespace sasld
