#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "llmbatch/report/activity_log.h"
#include "llmbatch/report/job_tally.h"
#include "llmbatch/report/latency_counts.h"
#include "llmbatch/report/svg_chart.h"
#include "llmbatch/report/time_axis.h"

namespace llmbatch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kMidnightMs = 1'795'392'000'000;  // 2026-11-23T00:00:00Z

AttemptFacts call(std::int64_t started_ms, ErrorClass error = ErrorClass::none,
                  std::string_view message = "") {
  AttemptFacts attempt;
  attempt.run = 1;
  attempt.started_ms = started_ms;
  attempt.latency_us = 1000;
  attempt.error = error;
  attempt.error_message = message;
  return attempt;
}

TEST(NiceTicks, AreRoundAndCoverTheHighestValue) {
  EXPECT_THAT(nice_ticks(10, 4), ElementsAre(0, 2.5, 5, 7.5, 10));
  EXPECT_THAT(nice_ticks(97, 4), ElementsAre(0, 25, 50, 75, 100));
  EXPECT_THAT(nice_ticks(4100, 4), ElementsAre(0, 2000, 4000, 6000));
}

TEST(NiceTicks, CountsHaveNoFractions) {
  EXPECT_THAT(nice_ticks(2, 4, true), ElementsAre(0, 1, 2));
  EXPECT_THAT(nice_ticks(10, 4, true), ElementsAre(0, 3, 6, 9, 12));
}

TEST(NiceTicks, NothingStillHasAScale) {
  EXPECT_THAT(nice_ticks(0, 4), ElementsAre(0, 1));
  EXPECT_THAT(nice_ticks(-1, 4), ElementsAre(0, 1));
}

TEST(LatencyCounts, PercentilesAreExactToTwoPercent) {
  LatencyCounts counts;
  for (std::int64_t micros = 1; micros <= 100'000; ++micros) counts.add(micros);
  EXPECT_EQ(counts.count(), 100'000);
  EXPECT_NEAR(static_cast<double>(*counts.percentile(0.5)), 50'000, 1'000);
  EXPECT_NEAR(static_cast<double>(*counts.percentile(0.99)), 99'000, 1'980);
  EXPECT_EQ(counts.percentile(1), 100'000);
}

TEST(LatencyCounts, OneCallIsItsOwnPercentile) {
  LatencyCounts counts;
  EXPECT_FALSE(counts.percentile(0.5));
  EXPECT_TRUE(counts.log_bins().empty());
  counts.add(812'345);
  EXPECT_EQ(counts.percentile(0.5), 812'345);
  EXPECT_EQ(counts.percentile(0.99), 812'345);
  EXPECT_EQ(counts.log_bins().size(), 1U);
  EXPECT_EQ(counts.log_bins()[0].count, 1);
}

TEST(LatencyCounts, BinsLoseNoCall) {
  LatencyCounts counts;
  for (std::int64_t micros : {0L, 3L, 1'000L, 70'000L, 800'000L, 60'000'000L, 4'000'000'000L}) {
    for (int i = 0; i < 100; ++i) counts.add(micros);
  }
  std::int64_t sum = 0;
  const auto bins = counts.log_bins();
  for (const auto& bin : bins) sum += bin.count;
  EXPECT_EQ(sum, 700);
  EXPECT_LE(bins.size(), 50U);
}

TEST(LatencyCounts, AddUpLikeTheirCalls) {
  LatencyCounts all;
  LatencyCounts even;
  LatencyCounts odd;
  for (std::int64_t micros = 5; micros < 5'000; ++micros) {
    all.add(micros);
    (micros % 2 == 0 ? even : odd).add(micros);
  }
  LatencyCounts sum;
  sum.add(even);
  sum.add(odd);
  EXPECT_EQ(sum.count(), all.count());
  EXPECT_EQ(sum.smallest(), 5);
  EXPECT_EQ(sum.largest(), 4'999);
  for (const double share : {0.01, 0.5, 0.99}) {
    EXPECT_EQ(sum.percentile(share), all.percentile(share));
  }
}

TEST(TimeAxis, CutsTheNightBetweenTwoRuns) {
  const std::int64_t day = 86'400;
  const TimeAxis axis(1000, {0, 1, 2, 3, day, day + 1, day + 2, day + 3});
  ASSERT_EQ(axis.segments().size(), 2U);
  EXPECT_EQ(axis.slice_count(), 8);
  EXPECT_DOUBLE_EQ(axis.segments()[0].width, axis.segments()[1].width);
  ASSERT_EQ(axis.gaps().size(), 1U);
  EXPECT_EQ(axis.gaps()[0].millis, (day - 4) * 1000);
  EXPECT_GT(axis.left_of(day), 0.5);
  EXPECT_NEAR(axis.left_of(day + 4), 1, 1e-9);
}

TEST(TimeAxis, CutsOnlyTheLongestOfManyGaps) {
  std::vector<std::int64_t> occupied;
  for (std::int64_t run = 0; run < 100; ++run) {
    occupied.push_back(run * 900 + (run >= 50 ? 100'000 : 0));
  }
  const TimeAxis axis(1000, occupied);
  EXPECT_LE(axis.segments().size(), TimeAxis::kMostSegments);
  EXPECT_GE(axis.segments().size(), 2U);
}

TEST(TimeAxis, LabelsRoundTimesAndTheDateOnce) {
  std::vector<std::int64_t> occupied;
  for (std::int64_t minute = 0; minute < 60; ++minute) {
    occupied.push_back(kMidnightMs / 60'000 + 120 + minute);
  }
  const auto ticks = TimeAxis(60'000, occupied).ticks();
  ASSERT_EQ(ticks.size(), 6U);
  EXPECT_EQ(ticks[0].label, "02:00");
  EXPECT_EQ(ticks[0].date, "Nov 23");
  EXPECT_EQ(ticks[1].label, "02:10");
  EXPECT_EQ(ticks[1].date, "");
  EXPECT_NEAR(ticks[3].position, 0.5, 1e-9);
}

TEST(TimeAxis, NothingHasNoSegments) {
  const TimeAxis axis(1000, {});
  EXPECT_TRUE(axis.segments().empty());
  EXPECT_TRUE(axis.ticks().empty());
}

TEST(ActivityLog, GrowsItsSlicesInsteadOfTheirNumber) {
  ActivityLog log;
  for (std::int64_t second = 0; second < 100'000; ++second) log.add_attempt(call(second * 1000));
  log.finish();
  EXPECT_LE(log.slices().size(), 161U);
  std::int64_t requests = 0;
  std::int64_t answers = 0;
  for (const ActivitySlice& slice : log.slices()) {
    requests += slice.requests;
    answers += slice.answers;
  }
  EXPECT_EQ(requests, 100'000);
  EXPECT_EQ(answers, 100'000);
  EXPECT_EQ(log.busiest_minute(), 60);
}

TEST(ActivityLog, FindsTheBusiestMinuteAcrossSlices) {
  ActivityLog log;
  for (int i = 0; i < 30; ++i) log.add_attempt(call(kMidnightMs + 45'000 + i * 100));
  for (int i = 0; i < 30; ++i) log.add_attempt(call(kMidnightMs + 75'000 + i * 100));
  for (int i = 0; i < 50; ++i) log.add_attempt(call(kMidnightMs + 300'000 + i * 100));
  log.finish();
  EXPECT_EQ(log.busiest_minute(), 60);
}

TEST(ActivityLog, OrdersCallsThatEndOutOfOrder) {
  ActivityLog log;
  log.add_attempt(call(kMidnightMs + 100'000));
  log.add_attempt(call(kMidnightMs + 59'000));
  log.add_attempt(call(kMidnightMs));
  log.finish();
  EXPECT_EQ(log.busiest_minute(), 2);
}

TEST(JobTally, CountsMessagesThatDifferInNumbersTogether) {
  JobTally tally;
  for (int i = 0; i < 100; ++i) {
    const std::string message = "try again in " + std::to_string(i * 37) + " ms";
    tally.add_attempt(call(i, ErrorClass::rate_limited, message));
  }
  tally.add_attempt(call(1, ErrorClass::rate_limited, "slow down"));
  const auto errors = tally.errors();
  ASSERT_EQ(errors.size(), 1U);
  ASSERT_EQ(errors[0].messages.size(), 2U);
  EXPECT_EQ(errors[0].messages[0].text, "try again in 0 ms");
  EXPECT_EQ(errors[0].messages[0].count, 100);
}

TEST(JobTally, KeepsFewMessagesAndModelsWhateverComes) {
  JobTally tally;
  for (int i = 0; i < 1000; ++i) {
    const std::string name(static_cast<std::size_t>(i + 1), 'x');
    AttemptFacts attempt = call(i, ErrorClass::malformed, name);
    attempt.model = name;
    tally.add_attempt(attempt);
  }
  EXPECT_LE(tally.errors()[0].messages.size(), 3U);
  EXPECT_LE(tally.models().size(), 49U);
  EXPECT_EQ(tally.errors()[0].attempts, 1000);
}

TEST(TimeChart, AHigherLimitIsPartOfTheScale) {
  TimeChart chart;
  chart.title = "Requests";
  chart.slices = {0, 1};
  chart.series = {{"requests", ChartColor::blue, {10, 20}}};
  chart.limit = ChartReference{100, "limit <100>"};
  chart.format = [](double value) { return std::to_string(static_cast<int>(value)); };
  const std::string html = render_time_chart(chart, TimeAxis(1000, chart.slices));
  EXPECT_THAT(html, HasSubstr("limit &lt;100&gt;"));
  EXPECT_THAT(html, HasSubstr(">100</span>"));
  EXPECT_THAT(html, HasSubstr("height=\"13.33\""));  // 20 of 150
}

TEST(FormatLatency, UsesTheUnitThatFits) {
  EXPECT_EQ(format_latency(0), "0");
  EXPECT_EQ(format_latency(450), "450\u00A0µs");
  EXPECT_EQ(format_latency(1'500), "1.5\u00A0ms");
  EXPECT_EQ(format_latency(812'000), "812\u00A0ms");
  EXPECT_EQ(format_latency(1'240'000), "1.24\u00A0s");
  EXPECT_EQ(format_latency(61'500'000), "61.5\u00A0s");
  EXPECT_EQ(format_latency(125e6), "2m05s");
}

}  // namespace
}  // namespace llmbatch
