#include "client/saslctl/expiry.h"

#include <gtest/gtest.h>

namespace sasld::saslctl {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);  // 2027-01-15T08:00:00Z

TEST(Expiry, IsASpanADayATimeOrNever) {
  EXPECT_EQ(ParseExpiry("90d", kNow).value(), kNow + absl::Hours(90 * 24));
  EXPECT_EQ(ParseExpiry("2w", kNow).value(), kNow + absl::Hours(14 * 24));
  EXPECT_EQ(ParseExpiry("12h", kNow).value(), kNow + absl::Hours(12));
  EXPECT_EQ(ParseExpiry("5m", kNow).value(), kNow + absl::Minutes(5));
  EXPECT_EQ(ParseExpiry("2027-01-31", kNow).value(), absl::FromUnixSeconds(1'801'353'600));
  EXPECT_EQ(ParseExpiry("2027-01-31T01:00:00+01:00", kNow).value(),
            absl::FromUnixSeconds(1'801'353'600));
  EXPECT_EQ(ParseExpiry("never", kNow).value(), absl::InfiniteFuture());
}

TEST(Expiry, RefusesWhatIsNoneOfThese) {
  for (const char* text : {"", "d", "0d", "-1d", "90", "90s", "1.5d", "90days", "tomorrow", "31.1.",
                           "2027-13-01", "2027-02-30", "99999999d", "90 d"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseExpiry(text, kNow).status())) << text;
  }
  EXPECT_EQ(ParseExpiry("2027-01-15", kNow).status().message(),
            "--expires: 2027-01-15 is over already");
}

}  // namespace
}  // namespace sasld::saslctl
