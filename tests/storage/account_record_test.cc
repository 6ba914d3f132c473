#include "storage/account_record.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/storage/accounts.h"

namespace sasld {
namespace {

TEST(AccountRecord, ComesBackAsItWas) {
  for (int variant = 0; variant < 30; ++variant) {
    const Account account = MakeAccount("ann", variant);
    const auto parsed = ParseAccountRecord(Name("ann"), 7, PrintAccountRecord(account).Reveal());
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    ExpectAccount(*parsed, account, 7);
  }
  const Account bare = MakeBareAccount("ann");
  ExpectAccount(*ParseAccountRecord(Name("ann"), 7, PrintAccountRecord(bare).Reveal()), bare, 7);
}

TEST(AccountRecord, LongTextsComeBack) {
  Account account = MakeBareAccount("ann");
  for (const size_t bytes :
       {size_t{127}, size_t{128}, size_t{16383}, size_t{16384}, size_t{3} << 20}) {
    account.attributes["long"] = std::string(bytes, 'x');
    const auto parsed = ParseAccountRecord(Name("ann"), 7, PrintAccountRecord(account).Reveal());
    ASSERT_TRUE(parsed.ok()) << bytes;
    EXPECT_EQ(parsed->attributes, account.attributes);
  }
}

// No prefix of a record, and no record with a changed byte, brings the parser down.
TEST(AccountRecord, WhatWasCutOrChangedIsReadWithoutHarm) {
  const Secret record = PrintAccountRecord(MakeAccount("ann"));
  const std::string_view bytes = record.Reveal();
  size_t refused = 0;
  for (size_t size = 0; size < bytes.size(); ++size) {
    if (!ParseAccountRecord(Name("ann"), 7, bytes.substr(0, size)).ok()) ++refused;
  }
  EXPECT_GT(refused, bytes.size() / 2);
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const int change : {0x01, 0x80, 0xff}) {
      Secret changed = record.Clone();
      changed.Bytes()[at] = static_cast<char>(changed.Bytes()[at] ^ change);
      (void)ParseAccountRecord(Name("ann"), 7, changed.Reveal());
    }
  }
}

TEST(AccountRecord, NonsenseIsDataLoss) {
  const auto bytes = [](std::initializer_list<int> values) {
    std::string text;
    for (const int value : values) text.push_back(static_cast<char>(value));
    return text;
  };
  const std::string ha1(16, 'x');
  for (const std::string& record :
       {bytes({1}), bytes({1, 5}), bytes({127, 0}), bytes({2, 1, 'x'}), bytes({10, 0}),
        bytes({10, 2, 3, 'x'}), bytes({11, 1, 'x'}), bytes({13, 16}) + ha1, bytes({8, 0}),
        bytes({9, 8, 0, 0, 0, 0, 0, 0, 0, 0}), bytes({9, 8, 0, 0, 0, 0, 0, 0, 16, 0}),
        bytes({15, 0}), bytes({1, 255, 255, 255, 255, 255})}) {
    EXPECT_TRUE(absl::IsDataLoss(ParseAccountRecord(Name("ann"), 7, record).status()))
        << testing::PrintToString(record);
  }
}

}  // namespace
}  // namespace sasld
