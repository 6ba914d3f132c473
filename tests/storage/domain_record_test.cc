#include "storage/domain_record.h"

#include <gtest/gtest.h>

#include <string>

#include "storage/record_fields.h"
#include "tests/storage/accounts.h"

namespace sasld {
namespace {

TEST(DomainRecord, ComesBackAsItWas) {
  for (int variant = 0; variant < 8; ++variant) {
    Domain domain = MakeDomain("example.org", variant);
    domain.epoch = 7;
    EXPECT_EQ(ParseDomainRecord("example.org", 7, PrintDomainRecord(domain).Reveal()).value(),
              domain);
  }
  EXPECT_EQ(PrintDomainRecord(Domain{"example.org"}).size(), 0U) << "defaults are left out";
}

TEST(DomainRecord, WhatWasCutIsReadWithoutHarm) {
  const Secret record = PrintDomainRecord(MakeDomain("example.org"));
  const std::string_view bytes = record.Reveal();
  size_t refused = 0;
  for (size_t size = 0; size < bytes.size(); ++size) {
    if (!ParseDomainRecord("example.org", 7, bytes.substr(0, size)).ok()) ++refused;
  }
  EXPECT_GT(refused, bytes.size() / 2);
}

TEST(DomainRecord, RefusesWhatIsNoneOfADomains) {
  FieldWriter writer;
  writer.Add(4, "$argon2id$");  // an account's
  const absl::Status status = ParseDomainRecord("example.org", 7, writer.Take().Reveal()).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_EQ(status.message().find("example"), std::string::npos) << "the text tells the domain";
}

}  // namespace
}  // namespace sasld
