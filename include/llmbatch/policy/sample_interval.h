// What a sample says of the whole: means and ratios with their 90 % intervals.
// Source: W. G. Cochran, Sampling Techniques (3rd ed., 1977), sections 2.7 (mean with the finite
// population correction) and 6.4 (ratio). Both hold for random samples; of others the caller has to
// say so. Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace llmbatch {

/// Student's t that 5 % of the distribution lie above: the half-width of a two-sided 90 % interval
/// in standard errors. `degrees` at least 1.
double student_t90(std::int64_t degrees);

struct SampleInterval {
  std::int64_t n = 0;
  double value = 0;      ///< the estimate
  double deviation = 0;  ///< standard deviation of the sample
  double low = 0;        ///< never below 0: what is measured here is not negative
  double high = 0;
};

/// The mean of a population of `population`: mean +- t s / sqrt(n) sqrt(1 - n / population). Absent
/// with fewer than two values.
std::optional<SampleInterval> mean_interval(std::span<const double> values,
                                            std::int64_t population);

struct SamplePair {
  double x = 0;
  double y = 0;
};

/// The ratio R = sum y / sum x of a population, with the standard error
/// sqrt((1 - n / population) / n * sum((y - R x)^2) / (n - 1)) / mean x. Absent with fewer than two
/// pairs, or when sum x is 0.
std::optional<SampleInterval> ratio_interval(std::span<const SamplePair> pairs,
                                             std::int64_t population);

}  // namespace llmbatch
