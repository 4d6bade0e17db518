#include "llmbatch/policy/sample_interval.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace llmbatch {
namespace {

/// The standard normal's 95 % quantile.
constexpr double kZ90 = 1.6448536269514722;

/// Share of the variance that is left when `n` of `population` are known.
double unknown_share(std::int64_t n, std::int64_t population) {
  if (population <= 0) return 1;
  return std::max(0.0, 1 - static_cast<double>(n) / static_cast<double>(population));
}

SampleInterval around(std::int64_t n, double value, double deviation, double standard_error) {
  const double half = student_t90(n - 1) * standard_error;
  return {n, value, deviation, std::max(0.0, value - half), value + half};
}

}  // namespace

double student_t90(std::int64_t degrees) {
  constexpr auto kTable = std::to_array<double>({6.313752, 2.919986, 2.353363, 2.131847, 2.015048,
                                                 1.943180, 1.894579, 1.859548, 1.833113, 1.812461});
  const auto index = static_cast<std::size_t>(std::max<std::int64_t>(degrees, 1) - 1);
  if (index < kTable.size()) return kTable[index];
  // Abramowitz and Stegun, 26.7.5; off by less than 0.0001 from here on.
  const auto v = static_cast<double>(degrees);
  const double z = kZ90;
  const double z3 = z * z * z;
  const double z5 = z3 * z * z;
  const double z7 = z5 * z * z;
  return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v);
}

std::optional<SampleInterval> mean_interval(std::span<const double> values,
                                            std::int64_t population) {
  const auto n = static_cast<std::int64_t>(values.size());
  if (n < 2) return std::nullopt;
  double sum = 0;
  for (const double value : values) sum += value;
  const double mean = sum / static_cast<double>(n);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double variance = squares / static_cast<double>(n - 1);
  const double error = std::sqrt(variance / static_cast<double>(n) * unknown_share(n, population));
  return around(n, mean, std::sqrt(variance), error);
}

std::optional<SampleInterval> ratio_interval(std::span<const SamplePair> pairs,
                                             std::int64_t population) {
  const auto n = static_cast<std::int64_t>(pairs.size());
  double x = 0;
  double y = 0;
  for (const SamplePair& pair : pairs) {
    x += pair.x;
    y += pair.y;
  }
  if (n < 2 || x <= 0) return std::nullopt;
  const double ratio = y / x;
  double squares = 0;
  for (const SamplePair& pair : pairs) {
    const double residual = pair.y - ratio * pair.x;
    squares += residual * residual;
  }
  const double variance = squares / static_cast<double>(n - 1);
  const double mean_x = x / static_cast<double>(n);
  const double error =
      std::sqrt(variance / static_cast<double>(n) * unknown_share(n, population)) / mean_x;
  return around(n, ratio, std::sqrt(variance), error);
}

}  // namespace llmbatch
