#include "llmbatch/base/random.h"

#include <gtest/gtest.h>

#include <limits>

namespace llmbatch {
namespace {

// Computed with a second implementation of the published algorithm.
TEST(Random, SequenceOfASeedIsFixed) {
  Random zero(0);
  EXPECT_EQ(zero.next_u64(), 0x53175D61490B23DFU);
  EXPECT_EQ(zero.next_u64(), 0x61DA6F3DC380D507U);
  EXPECT_EQ(zero.next_u64(), 0x5C0FDF91EC9A7BFCU);
  Random other(42);
  EXPECT_EQ(other.next_u64(), 0xD0764D4F4476689FU);
  EXPECT_EQ(other.next_u64(), 0x519E4174576F3791U);
  EXPECT_EQ(other.next_u64(), 0xFBE07CFB0C24ED8CU);
}

TEST(Random, UniformStaysBelowOneAndFillsTheRange) {
  Random random(1);
  double least = 1;
  double most = 0;
  double sum = 0;
  constexpr int kDraws = 10'000;
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    least = std::min(least, value);
    most = std::max(most, value);
    sum += value;
  }
  EXPECT_LT(least, 0.01);
  EXPECT_GT(most, 0.99);
  EXPECT_NEAR(sum / kDraws, 0.5, 0.02);
}

TEST(Random, BelowReachesEveryValueAboutEquallyOften) {
  Random random(2);
  std::array<int, 5> counts{};
  for (int i = 0; i < 10'000; ++i) ++counts.at(random.below(counts.size()));
  for (const int count : counts) EXPECT_NEAR(count, 2'000, 200);
}

TEST(Random, BelowTheEdges) {
  Random random(3);
  EXPECT_EQ(random.below(0), 0U);
  EXPECT_EQ(random.below(1), 0U);
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  EXPECT_LT(random.below(kMost), kMost);
}

}  // namespace
}  // namespace llmbatch
