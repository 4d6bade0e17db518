#include "llmbatch/policy/proportion.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace llmbatch {
namespace {

// What defines the interval: at its ends the observed share is exactly z standard errors away, with
// the standard error that belongs to the end itself.
TEST(WilsonInterval, EndsAreZStandardErrorsAway) {
  for (const std::int64_t successes : {1, 7, 19, 39}) {
    const double share = static_cast<double>(successes) / 40;
    const ShareInterval interval = wilson_interval(successes, 40);
    for (const double end : {interval.low, interval.high}) {
      EXPECT_NEAR(std::abs(share - end), kZ95 * std::sqrt(end * (1 - end) / 40), 1e-12);
    }
  }
}

TEST(WilsonInterval, KnownValues) {
  ShareInterval interval = wilson_interval(8, 10);
  EXPECT_NEAR(interval.low, 0.4901625, 1e-6);
  EXPECT_NEAR(interval.high, 0.9433178, 1e-6);
  interval = wilson_interval(50, 100);
  EXPECT_NEAR(interval.low, 0.4038315, 1e-6);
  EXPECT_NEAR(interval.high, 0.5961685, 1e-6);
}

TEST(WilsonInterval, StaysInsideAtBothEnds) {
  const ShareInterval none = wilson_interval(0, 20);
  EXPECT_EQ(none.low, 0.0);
  EXPECT_NEAR(none.high, 0.1611252, 1e-6);
  const ShareInterval all = wilson_interval(20, 20);
  EXPECT_NEAR(all.low, 0.8388748, 1e-6);
  EXPECT_EQ(all.high, 1.0);
}

TEST(WilsonInterval, OfNothingIsEverything) {
  EXPECT_EQ(wilson_interval(0, 0).low, 0.0);
  EXPECT_EQ(wilson_interval(0, 0).high, 1.0);
}

TEST(WilsonInterval, LargerZIsWider) {
  EXPECT_LT(wilson_interval(8, 10, 2.5758).low, wilson_interval(8, 10).low);
}

TEST(StratifiedShare, OfOneStratumIsItsPlainShare) {
  const std::array<Stratum, 1> strata{Stratum{1000, 10, 8}};
  const auto share = stratified_share(strata);
  ASSERT_TRUE(share);
  EXPECT_DOUBLE_EQ(share->share, 0.8);
  EXPECT_DOUBLE_EQ(share->effective_size, 10);
  EXPECT_NEAR(share->interval.low, wilson_interval(8, 10).low, 1e-12);
}

// By hand: 900 items with 18 of 20 good, 100 items with 2 of 10 good: 0.9 x 0.9 + 0.1 x 0.2 = 0.83;
// effective size 1 / (0.81 / 20 + 0.01 / 10) = 24.096.
TEST(StratifiedShare, WeighsByPopulationNotByWhatWasJudged) {
  const std::array<Stratum, 2> strata{Stratum{900, 20, 18}, Stratum{100, 10, 2}};
  const auto share = stratified_share(strata);
  ASSERT_TRUE(share);
  EXPECT_NEAR(share->share, 0.83, 1e-12);
  EXPECT_NEAR(share->effective_size, 24.0964, 1e-4);
  EXPECT_EQ(share->population, 1000);
}

TEST(StratifiedShare, LeavesOutWhatWasNotJudged) {
  const std::array<Stratum, 2> strata{Stratum{900, 20, 20}, Stratum{100, 0, 0}};
  const auto share = stratified_share(strata);
  ASSERT_TRUE(share);
  EXPECT_DOUBLE_EQ(share->share, 1.0);
  EXPECT_EQ(share->population, 900);
  EXPECT_FALSE(stratified_share(std::array<Stratum, 1>{Stratum{100, 0, 0}}));
}

}  // namespace
}  // namespace llmbatch
