#include "llmbatch/policy/sample_interval.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "llmbatch/base/random.h"

namespace llmbatch {
namespace {

TEST(StudentT, KnownQuantiles) {
  EXPECT_NEAR(student_t90(1), 6.3138, 1e-4);
  EXPECT_NEAR(student_t90(9), 1.8331, 1e-4);
  EXPECT_NEAR(student_t90(11), 1.7959, 2e-4);
  EXPECT_NEAR(student_t90(19), 1.7291, 1e-4);
  EXPECT_NEAR(student_t90(30), 1.6973, 1e-4);
  EXPECT_NEAR(student_t90(120), 1.6577, 1e-4);
  EXPECT_NEAR(student_t90(1'000'000), 1.6449, 1e-4);
}

TEST(MeanInterval, HandComputed) {
  // Mean 4, standard deviation 2, standard error 2 / sqrt(4) = 1, t(3) = 2.353363.
  constexpr auto kValues = std::to_array<double>({2, 4, 4, 6});
  const auto interval = mean_interval(kValues, 1'000'000'000);
  ASSERT_TRUE(interval);
  EXPECT_EQ(interval->n, 4);
  EXPECT_DOUBLE_EQ(interval->value, 4);
  EXPECT_NEAR(interval->deviation, std::sqrt(8.0 / 3), 1e-9);
  EXPECT_NEAR(interval->high - 4, 2.353363 * std::sqrt(8.0 / 3) / 2, 1e-6);
  EXPECT_NEAR(4 - interval->low, interval->high - 4, 1e-9);
}

TEST(MeanInterval, AWholePopulationLeavesNothingOpen) {
  constexpr auto kValues = std::to_array<double>({2, 4, 4, 6});
  const auto interval = mean_interval(kValues, 4);
  EXPECT_DOUBLE_EQ(interval->low, 4);
  EXPECT_DOUBLE_EQ(interval->high, 4);
}

TEST(MeanInterval, OneValueSaysNothing) {
  constexpr auto kValues = std::to_array<double>({2});
  EXPECT_FALSE(mean_interval(kValues, 10));
}

TEST(RatioInterval, HandComputed) {
  constexpr auto kPairs = std::to_array<SamplePair>({{10, 12}, {20, 24}, {30, 30}, {40, 54}});
  // R = 120 / 100; residuals 0, 0, -6, 6: variance 72 / 3 = 24; mean x 25.
  const auto interval = ratio_interval(kPairs, 1'000'000'000);
  ASSERT_TRUE(interval);
  EXPECT_DOUBLE_EQ(interval->value, 1.2);
  EXPECT_NEAR(interval->high - 1.2, 2.353363 * std::sqrt(24.0 / 4) / 25, 1e-6);
}

TEST(RatioInterval, NothingCountedIsNoRatio) {
  constexpr auto kPairs = std::to_array<SamplePair>({{0, 12}, {0, 24}});
  EXPECT_FALSE(ratio_interval(kPairs, 10));
}

// What 90 % means: of many samples of a skewed population about nine in ten catch its mean.
TEST(MeanInterval, CatchesTheMeanNineTimesInTen) {
  Random random(7);
  std::vector<double> population(5'000);
  double sum = 0;
  for (double& value : population) {
    value = 20 - 100 * std::log(1 - random.uniform());
    sum += value;
  }
  const double mean = sum / static_cast<double>(population.size());
  constexpr int kTrials = 2'000;
  int caught = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> sample;
    for (int i = 0; i < 30; ++i) sample.push_back(population[random.below(population.size())]);
    const auto interval = mean_interval(sample, static_cast<std::int64_t>(population.size()));
    caught += interval->low <= mean && mean <= interval->high ? 1 : 0;
  }
  EXPECT_GT(caught, kTrials * 0.86);
  EXPECT_LT(caught, kTrials * 0.93);
}

// The same for a ratio, where what is reported has a fixed part beside the share of the count.
TEST(RatioInterval, CatchesTheRatioNineTimesInTen) {
  Random random(11);
  std::vector<SamplePair> population(2'000);
  double x = 0;
  double y = 0;
  for (SamplePair& pair : population) {
    pair.x = 20 + 300 * random.uniform();
    pair.y = 8 + pair.x * (1.1 + 0.2 * random.uniform());
    x += pair.x;
    y += pair.y;
  }
  constexpr int kTrials = 2'000;
  int caught = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<SamplePair> sample;
    for (int i = 0; i < 30; ++i) sample.push_back(population[random.below(population.size())]);
    const auto interval = ratio_interval(sample, static_cast<std::int64_t>(population.size()));
    caught += interval->low <= y / x && y / x <= interval->high ? 1 : 0;
  }
  EXPECT_GT(caught, kTrials * 0.87);
  EXPECT_LT(caught, kTrials * 0.93);
}

}  // namespace
}  // namespace llmbatch
