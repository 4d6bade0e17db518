#include "llmbatch/base/clock.h"

#include <gtest/gtest.h>

#include <limits>

namespace llmbatch {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(SystemClock, SteadyTimeNeverGoesBack) {
  const SystemClock clock;
  const SteadyTime before = clock.now();
  EXPECT_GE(clock.now(), before);
  EXPECT_GT(to_unix_nanos(clock.wall_now()), 1'700'000'000 * kSecond);
}

TEST(Seconds, ConvertBothWays) {
  EXPECT_DOUBLE_EQ(to_seconds(1500ms), 1.5);
  EXPECT_EQ(from_seconds(1.5), 1500ms);
  EXPECT_EQ(from_seconds(-2), -2s);
}

TEST(Seconds, SaturateInsteadOfOverflowing) {
  EXPECT_EQ(from_seconds(1e300), Duration::max());
  EXPECT_EQ(from_seconds(-1e300), Duration::min());
  EXPECT_EQ(from_seconds(std::numeric_limits<double>::infinity()), Duration::max());
  EXPECT_EQ(from_seconds(std::numeric_limits<double>::quiet_NaN()), 0ns);
}

TEST(FormatRfc3339, UtcWithMilliseconds) {
  EXPECT_EQ(format_rfc3339(from_unix_nanos(1'795'400'047'123'999'999)), "2026-11-23T02:14:07.123Z");
  EXPECT_EQ(format_rfc3339(from_unix_nanos(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339(from_unix_nanos(-1)), "1969-12-31T23:59:59.999Z");
}

TEST(ParseRfc3339, ReadsWhatIsWritten) {
  const WallTime time = from_unix_nanos(1'795'400'047'123'000'000);
  EXPECT_EQ(parse_rfc3339(format_rfc3339(time)), time);
}

TEST(ParseRfc3339, OffsetsAndFractions) {
  const WallTime time = from_unix_nanos(1'795'400'047 * kSecond);
  EXPECT_EQ(parse_rfc3339("2026-11-23T02:14:07Z"), time);
  EXPECT_EQ(parse_rfc3339("2026-11-23t02:14:07z"), time);
  EXPECT_EQ(parse_rfc3339("2026-11-23T03:44:07+01:30"), time);
  EXPECT_EQ(parse_rfc3339("2026-11-22T21:14:07-05:00"), time);
  EXPECT_EQ(parse_rfc3339("2026-11-23T02:14:07.5Z"), time + 500ms);
  EXPECT_EQ(parse_rfc3339("2026-11-23T02:14:07.123456789987Z"), time + 123456789ns);
  EXPECT_EQ(parse_rfc3339("2026-11-23T02:13:60Z"), time - 7s);
}

TEST(ParseRfc3339, AnyTwoTimesCanBeSubtracted) {
  const auto first = parse_rfc3339("1970-01-01T00:00:00+23:59");
  const auto last = parse_rfc3339("2261-12-31T23:59:60.999999999-23:59");
  ASSERT_TRUE(first && last);
  EXPECT_GT(*last - *first, std::chrono::hours(24 * 365 * 291));
}

TEST(ParseRfc3339, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "2026-11-23", "2026-11-23T02:14:07", "2026-11-23T02:14:07.Z", "2026-02-30T00:00:00Z",
        "2026-11-23T24:00:00Z", "2026-11-23T02:60:00Z", "2026-13-01T00:00:00Z",
        "2026-11-23T02:14:07Zx", "2026-11-23T02:14:07+0100", "2026-11-23T02:14:07+25:00",
        "1681-11-24T10:00:07Z", "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z",
        "20a6-11-23T02:14:07Z"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

TEST(ParseHttpDate, ImfFixdate) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            from_unix_nanos(784'111'777 * kSecond));
}

TEST(ParseHttpDate, RefusesOtherForms) {
  for (const char* text : {"", "12", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                           "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nox 1994 08:49:37 GMT",
                           "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT "}) {
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
  }
}

TEST(FormatDuration, ForPeople) {
  EXPECT_EQ(format_duration(0ns), "0.0s");
  EXPECT_EQ(format_duration(1230ms), "1.2s");
  EXPECT_EQ(format_duration(59'999ms), "59.9s");
  EXPECT_EQ(format_duration(60s), "1m00s");
  EXPECT_EQ(format_duration(185s), "3m05s");
  EXPECT_EQ(format_duration(3599s), "59m59s");
  EXPECT_EQ(format_duration(2h + 14min + 59s), "2h14m");
  EXPECT_EQ(format_duration(100h), "100h00m");
  EXPECT_EQ(format_duration(-5s), "0.0s");
}

}  // namespace
}  // namespace llmbatch
