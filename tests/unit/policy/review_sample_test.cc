#include "llmbatch/policy/review_sample.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace llmbatch {
namespace {

/// `counts` items per stratum; their ids are stable names.
std::vector<SampledItem> draw(const std::string& size, const std::vector<int>& counts,
                              std::uint64_t seed = 1) {
  ReviewSample sample(*parse_sample_size(size), counts.size());
  for (std::size_t stratum = 0; stratum < counts.size(); ++stratum) {
    for (int i = 0; i < counts[stratum]; ++i) {
      const std::string id = std::to_string(stratum) + "-" + std::to_string(i);
      const auto seq = stratum * 1'000'000 + static_cast<std::uint64_t>(i);
      sample.add({seq, seq, stratum, sample_rank(hash128(id), seed)});
    }
  }
  return sample.draw();
}

std::set<std::uint64_t> seqs(const std::vector<SampledItem>& items) {
  std::set<std::uint64_t> result;
  for (const SampledItem& item : items) result.insert(item.seq);
  return result;
}

std::int64_t of_stratum(const std::vector<SampledItem>& items, std::size_t stratum) {
  return std::count_if(items.begin(), items.end(),
                       [stratum](const SampledItem& item) { return item.stratum == stratum; });
}

TEST(SampleSize, IsAPercentageOrANumber) {
  EXPECT_DOUBLE_EQ(*parse_sample_size("1%")->share, 0.01);
  EXPECT_DOUBLE_EQ(*parse_sample_size("0.5 %")->share, 0.005);
  EXPECT_EQ(parse_sample_size("200")->count, 200U);
  for (const char* wrong : {"", "%", "0", "0%", "101%", "-1", "1.5", "x", "5%%", "nan%"}) {
    EXPECT_FALSE(parse_sample_size(wrong)) << wrong;
  }
}

TEST(ReviewSample, ShareOfEachStratumAndAFewAtLeast) {
  const auto items = draw("10%", {2000, 40, 3});
  EXPECT_NEAR(static_cast<double>(of_stratum(items, 0)), 200, 45);
  EXPECT_GE(of_stratum(items, 1), 5);
  EXPECT_EQ(of_stratum(items, 2), 3);
}

TEST(ReviewSample, TheSameSeedDrawsTheSameAnotherSeedOthers) {
  EXPECT_EQ(seqs(draw("50", {1000})), seqs(draw("50", {1000})));
  EXPECT_NE(seqs(draw("50", {1000})), seqs(draw("50", {1000}, 2)));
}

TEST(ReviewSample, GrowsWithTheItemsAndKeepsWhatWasDrawn) {
  const auto before = seqs(draw("2%", {2000}));
  const auto after = seqs(draw("2%", {4000}));
  EXPECT_GT(after.size(), before.size());
  EXPECT_TRUE(std::includes(after.begin(), after.end(), before.begin(), before.end()));
}

TEST(ReviewSample, CountIsSharedOutInProportion) {
  const auto items = draw("100", {900, 100});
  EXPECT_EQ(of_stratum(items, 0), 90);
  EXPECT_EQ(of_stratum(items, 1), 10);
  // The few of small strata come out of the largest.
  const auto few = draw("100", {99'000, 10, 1000});
  EXPECT_EQ(few.size(), 100U);
  EXPECT_EQ(of_stratum(few, 1), 5);
  EXPECT_EQ(draw("100", {30, 4}).size(), 34U);
}

TEST(ReviewSample, StoppingHalfWayHasSeenHalfOfEveryStratum) {
  auto items = draw("100", {600, 400});
  items.resize(50);
  EXPECT_EQ(of_stratum(items, 0), 30);
  EXPECT_EQ(of_stratum(items, 1), 20);
}

TEST(ReviewSample, TakesNothingFromNothing) { EXPECT_TRUE(draw("1%", {0, 0}).empty()); }

}  // namespace
}  // namespace llmbatch
