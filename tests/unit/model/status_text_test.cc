#include "llmbatch/model/status_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llmbatch {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(StatusText, AHundredPercentIsSaidOnlyOfTheWhole) {
  EXPECT_EQ(format_percent(23847, 50000), "47.7 %");
  EXPECT_EQ(format_percent(49999, 50000), "99.9 %");
  EXPECT_EQ(format_percent(50000, 50000), "100.0 %");
  EXPECT_EQ(format_percent(0, 0), "0.0 %");
}

TEST(StatusText, CompactNumbersKeepThreeDigits) {
  EXPECT_EQ(format_compact(812), "812");
  EXPECT_EQ(format_compact(21437), "21.4k");
  EXPECT_EQ(format_compact(212000), "212k");
  EXPECT_EQ(format_compact(999'949), "1.00M");
  EXPECT_EQ(format_compact(3'020'000), "3.02M");
}

TEST(StatusText, SpansAreAsExactAsAForecast) {
  EXPECT_EQ(format_span(-1), "0s");
  EXPECT_EQ(format_span(44.2), "45s");
  EXPECT_EQ(format_span(185), "3m05s");
  EXPECT_EQ(format_span(3240), "54m");
  EXPECT_EQ(format_span(8040), "2h14m");
  EXPECT_EQ(format_span(3 * 86400 + 4 * 3600), "3d04h");
  EXPECT_EQ(format_span(1e300), "999d00h");
}

TEST(StatusText, FastRunsCountPerSecond) {
  RunStatus status;
  EXPECT_THAT(format_rates(status), IsEmpty());
  status.requests_per_minute = 481;
  status.tokens_per_minute = 212000;
  EXPECT_THAT(format_rates(status), ElementsAre("481 req/min", "212k tokens/min"));
  status.requests_per_minute = 6000;
  EXPECT_THAT(format_rates(status), ElementsAre("100 req/s", "3,533 tokens/s"));
  status.requests_per_minute = 2.5;
  EXPECT_EQ(format_rates(status).front(), "2.5 req/min");
}

TEST(StatusText, CostsAreToldAsFarAsTheyAreKnown) {
  RunStatus status;
  EXPECT_THAT(format_costs(status), IsEmpty());
  status.attempts = 3;
  EXPECT_THAT(format_costs(status), ElementsAre("unknown"));
  status.known_cost = *Money::parse_dollars("1.5");
  EXPECT_THAT(format_costs(status), ElementsAre("unknown, at least $1.50"));
  status.items.by_state = {2, 0, 0, 1, 0, 0, 0, 0};
  status.spent = status.known_cost;
  status.projected = Money::parse_dollars("4.5");
  status.per_item = Money::parse_dollars("1.5");
  status.saved = Money::parse_dollars("0.25");
  status.usage.estimated = true;
  EXPECT_THAT(format_costs(status),
              ElementsAre("$1.50 so far (partly estimated)", "about $4.50 in all", "$1.50 per item",
                          "$0.25 saved"));
  EXPECT_EQ(format_status_line(status),
            "1/3 done (33.3 %), $1.50 so far (partly estimated), about $4.50 in all, $1.50 per "
            "item, $0.25 saved");
  status.items.by_state = {0, 0, 0, 3, 0, 0, 0, 0};
  status.saved.reset();
  EXPECT_THAT(format_costs(status),
              ElementsAre("$1.50 so far (partly estimated)", "$1.50 per item"));
}

TEST(StatusText, AStatusLineLeavesOutWhatIsNotKnown) {
  RunStatus status;
  status.items[ItemState::succeeded] = 1;
  status.items[ItemState::pending] = 1;
  EXPECT_EQ(format_status_line(status), "1/2 done (50.0 %)");
}

class BatchText : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
    status.items[ItemState::submitted] = 10007;
    status.batches.resize(2);
    status.batches[0].number = 9;
    status.batches[0].provider_id = "msgbatch_\x1b[2Jx";
    status.batches[0].state = "in_progress";
    status.batches[0].requests = 10000;
    status.batches[0].done = 4210;
    status.batches[0].submitted_at = now - std::chrono::hours(2);
    status.batches[0].expires_at = now + std::chrono::hours(19);
    status.batches[1].number = 10;
    status.batches[1].state = "ready";
    status.batches[1].requests = 7;
  }
  void TearDown() override {
    unsetenv("TZ");
    tzset();
  }

  WallTime now = *parse_rfc3339("2026-11-23T02:14:07.123Z");  // a Monday
  RunStatus status;
};

TEST_F(BatchText, TimesFarAwayNameTheirDay) {
  EXPECT_EQ(format_clock_time(now, now), "02:14");
  EXPECT_EQ(format_clock_time(now - std::chrono::hours(3), now), "23:14");
  EXPECT_EQ(format_clock_time(now + std::chrono::hours(20), now), "Mon 22:14");
  EXPECT_EQ(format_clock_time(now - std::chrono::hours(48), now), "Sat 02:14");
  EXPECT_EQ(format_clock_time(now + std::chrono::hours(7 * 24), now), "2026-11-30 02:14");
}

TEST_F(BatchText, RowsStandInColumns) {
  EXPECT_THAT(
      format_batches(status, now),
      ElementsAre(
          " 9  msgbatch_\xEF\xBF\xBD[2Jx  in_progress  4,210/10,000  submitted 00:14  expires "
          "21:14",
          "10  -               ready                   7"));
}

TEST_F(BatchText, ABatchWhoseTimeIsOverHasExpired) {
  status.batches[0].expires_at = now - std::chrono::hours(1);
  EXPECT_THAT(format_batches(status, now).front(), testing::HasSubstr("  expired 01:14"));
}

TEST_F(BatchText, ProgressIsThatOfTheProviders) {
  EXPECT_EQ(format_batch_progress(status), "in batches 4,210/10,007");
  EXPECT_EQ(format_status_line(status), "0/10,007 done (0.0 %), in batches 4,210/10,007");
  status.batches[0].done.reset();
  EXPECT_EQ(format_batch_progress(status), "in batches 10,007");
  status.batches.clear();
  EXPECT_EQ(format_batch_progress(status), "");
}

}  // namespace
}  // namespace llmbatch
