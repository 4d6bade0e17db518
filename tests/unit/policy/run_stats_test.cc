#include "llmbatch/policy/run_stats.h"

#include <gtest/gtest.h>

#include "llmbatch/policy/concurrency.h"

namespace llmbatch {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kNow{100s};

TEST(RunStats, ErrorRateNeedsFiftyFinishedItems) {
  RunStats stats(kNow);
  for (int i = 0; i < 49; ++i) stats.on_finished(ItemState::failed, ErrorClass::timeout, "", kNow);
  EXPECT_FALSE(stats.too_many_errors(0.05));
  stats.on_finished(ItemState::failed, ErrorClass::timeout, "", kNow);
  EXPECT_TRUE(stats.too_many_errors(0.05));
}

TEST(RunStats, ErrorRateForgetsWhatIsOlderThanTwoHundredItems) {
  RunStats stats(kNow);
  for (int i = 0; i < 100; ++i)
    stats.on_finished(ItemState::flagged, ErrorClass::malformed, "", kNow);
  for (int i = 0; i < 200; ++i) stats.on_finished(ItemState::succeeded, ErrorClass::none, "", kNow);
  EXPECT_EQ(stats.error_rate(), 0.0);
}

TEST(RunStats, InvalidLinesAreNoErrorsOfTheProvider) {
  RunStats stats(kNow);
  for (int i = 0; i < 60; ++i)
    stats.on_finished(ItemState::invalid, ErrorClass::invalid_input, "", kNow);
  EXPECT_FALSE(stats.too_many_errors(0.05));
}

TEST(RunStats, RatesCoverTheLastMinute) {
  RunStats stats(kNow);
  Usage usage;
  usage.input = 90;
  usage.output = 10;
  for (int i = 0; i < 300; ++i) stats.on_call(&usage, kNow + i * 1s);
  EXPECT_DOUBLE_EQ(*stats.calls_per_minute(kNow + 299s), 60);
  EXPECT_DOUBLE_EQ(*stats.tokens_per_minute(kNow + 299s), 6000);
}

TEST(RunStats, CommonestErrorsComeFirst) {
  RunStats stats(kNow);
  stats.on_finished(ItemState::failed, ErrorClass::timeout, "slow", kNow);
  for (int i = 0; i < 3; ++i)
    stats.on_finished(ItemState::failed, ErrorClass::connection, "reset", kNow);
  const auto errors = stats.commonest_errors(1);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].error_class, "connection");
  EXPECT_EQ(errors[0].count, 3);
}

TEST(ConcurrencyLimit, HalvesOnceForCallsOfTheSameTime) {
  ConcurrencyLimit limit(std::nullopt, 256, kNow);
  limit.on_overload(kNow, kNow + 1s);
  limit.on_overload(kNow, kNow + 1s);
  EXPECT_EQ(limit.limit(), 4);
  limit.on_overload(kNow + 2s, kNow + 3s);
  EXPECT_EQ(limit.limit(), 2);
}

TEST(ConcurrencyLimit, FixedStaysFixed) {
  ConcurrencyLimit limit(50, 256, kNow);
  limit.on_overload(kNow, kNow + 1s);
  EXPECT_EQ(limit.limit(), 50);
}

TEST(ConcurrencyLimit, TakesBackAStepThatDoesNotHelp) {
  ConcurrencyLimit limit(std::nullopt, 256, kNow);
  SteadyTime now = kNow;
  for (int i = 0; i < 200; ++i) {  // a server that answers 100 a second whatever is in flight
    limit.on_blocked();
    now += 10ms;
    limit.on_answer(now);
  }
  EXPECT_EQ(limit.limit(), 8);
}

}  // namespace
}  // namespace llmbatch
