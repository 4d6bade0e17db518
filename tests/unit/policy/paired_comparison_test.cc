#include "llmbatch/policy/paired_comparison.h"

#include <gtest/gtest.h>

namespace llmbatch {
namespace {

// 2 (C(10,0) + C(10,1)) / 2^10 = 22 / 1024.
TEST(McNemarExact, IsTheTwoSidedSignTestOfTheDiscordantPairs) {
  EXPECT_NEAR(mcnemar_exact({80, 9, 1, 10}), 22.0 / 1024, 1e-12);
  EXPECT_NEAR(mcnemar_exact({80, 1, 9, 10}), 22.0 / 1024, 1e-12);
  // 2 / 2^6.
  EXPECT_NEAR(mcnemar_exact({0, 6, 0, 0}), 2.0 / 64, 1e-12);
}

TEST(McNemarExact, SaysNothingWhereNothingTellsThemApart) {
  EXPECT_DOUBLE_EQ(mcnemar_exact({}), 1);
  EXPECT_DOUBLE_EQ(mcnemar_exact({50, 0, 0, 50}), 1);
  EXPECT_DOUBLE_EQ(mcnemar_exact({50, 7, 7, 3}), 1);
  // 2 (1 + 3) / 8 = 1: never above it.
  EXPECT_DOUBLE_EQ(mcnemar_exact({50, 2, 1, 3}), 1);
}

// The example of A. Agresti, Categorical Data Analysis (2nd edition, section 10.1.1): approval
// ratings with 794, 150, 86, 570; the exact p-value of 86 among 236 fair coins, computed with
// rational numbers, is 3.715936e-05.
TEST(McNemarExact, HoldsForManyPairs) {
  EXPECT_NEAR(mcnemar_exact({794, 150, 86, 570}), 3.715936e-05, 1e-10);
  EXPECT_GT(mcnemar_exact({0, 100'000, 99'000, 0}), 0);
}

// By hand: n = 100, b = 9, c = 1. d* = 8/102, spread = 11/102 - d*^2 = 0.101692,
// half = 1.96 sqrt(0.101692 / 102) = 0.061886.
TEST(PairedDifference, IsAgrestisAndMinsInterval) {
  const PairedDifference result = paired_difference({80, 9, 1, 10});
  EXPECT_DOUBLE_EQ(result.difference, 0.08);
  EXPECT_NEAR(result.low, 8.0 / 102 - 0.061886, 1e-5);
  EXPECT_NEAR(result.high, 8.0 / 102 + 0.061886, 1e-5);
}

TEST(PairedDifference, StaysWideWhereNobodyDiffersYet) {
  const PairedDifference none = paired_difference({});
  EXPECT_DOUBLE_EQ(none.low, -1);
  EXPECT_DOUBLE_EQ(none.high, 1);
  const PairedDifference equal = paired_difference({10, 0, 0, 0});
  EXPECT_DOUBLE_EQ(equal.difference, 0);
  EXPECT_NEAR(equal.high, 1.96 / 12, 1e-4);
}

TEST(ItemsToSettle, GrowWithTheSquareOfTheWidth) {
  const PairedCounts counts{80, 9, 1, 10};
  // Half the width is 0.0619, twice what is left up to 0.08 + 0.03094: four times the items.
  const auto items = items_to_settle(counts, 0.08 + 0.030943);
  ASSERT_TRUE(items);
  EXPECT_NEAR(static_cast<double>(*items), 400, 1);
  EXPECT_EQ(items_to_settle(counts, 0.2), 100);
  EXPECT_FALSE(items_to_settle(counts, 0.05));
  EXPECT_FALSE(items_to_settle({}, 0.05));
}

TEST(Percentile, IsTheNearestRank) {
  std::vector<std::int64_t> values{50, 15, 40, 20, 35};
  EXPECT_EQ(percentile(values, 0.05), 15);
  EXPECT_EQ(percentile(values, 0.30), 20);
  EXPECT_EQ(percentile(values, 0.40), 20);
  EXPECT_EQ(percentile(values, 0.50), 35);
  EXPECT_EQ(percentile(values, 0.95), 50);
  EXPECT_EQ(percentile(values, 1.00), 50);
  std::vector<std::int64_t> none;
  EXPECT_FALSE(percentile(none, 0.5));
}

}  // namespace
}  // namespace llmbatch
