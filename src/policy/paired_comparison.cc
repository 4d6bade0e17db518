#include "llmbatch/policy/paired_comparison.h"

#include <algorithm>
#include <cmath>

namespace llmbatch {
namespace {

/// P(X <= k) for X ~ Bin(n, 1/2), by its terms, each from the logarithm of the gamma function so
/// that large n neither overflow nor vanish.
double half_binomial_cdf(std::int64_t k, std::int64_t n) {
  const double log_all = std::lgamma(static_cast<double>(n) + 1);
  double sum = 0;
  for (std::int64_t i = 0; i <= k; ++i) {
    const double log_ways = log_all - std::lgamma(static_cast<double>(i) + 1) -
                            std::lgamma(static_cast<double>(n - i) + 1);
    sum += std::exp(log_ways - static_cast<double>(n) * std::log(2.0));
  }
  return sum;
}

}  // namespace

double mcnemar_exact(const PairedCounts& counts) {
  const std::int64_t discordant = counts.only_first + counts.only_second;
  const std::int64_t fewer = std::min(counts.only_first, counts.only_second);
  if (counts.only_first == counts.only_second) return 1;
  return std::min(1.0, 2 * half_binomial_cdf(fewer, discordant));
}

PairedDifference paired_difference(const PairedCounts& counts, double z) {
  PairedDifference result;
  if (counts.total() == 0) return result;
  const auto n = static_cast<double>(counts.total());
  const auto first = static_cast<double>(counts.only_first);
  const auto second = static_cast<double>(counts.only_second);
  result.difference = (first - second) / n;
  const double adjusted_n = n + 2;
  const double adjusted = (first - second) / adjusted_n;
  const double spread = (first + second + 1) / adjusted_n - adjusted * adjusted;
  const double half = z * std::sqrt(std::max(0.0, spread) / adjusted_n);
  result.low = std::max(-1.0, adjusted - half);
  result.high = std::min(1.0, adjusted + half);
  return result;
}

std::optional<std::int64_t> items_to_settle(const PairedCounts& counts, double bound, double z) {
  if (counts.total() == 0) return std::nullopt;
  const PairedDifference now = paired_difference(counts, z);
  if (now.difference >= bound) return std::nullopt;
  if (now.high < bound) return counts.total();
  const double half = (now.high - now.low) / 2;
  const double factor = half / (bound - now.difference);
  const double items = static_cast<double>(counts.total()) * factor * factor;
  if (!(items < 1e15)) return std::nullopt;
  return std::max(counts.total() + 1, static_cast<std::int64_t>(std::ceil(items)));
}

std::optional<std::int64_t> percentile(std::vector<std::int64_t>& values, double share) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const double rank = std::ceil(share * static_cast<double>(values.size()));
  const auto index = static_cast<std::size_t>(std::max(1.0, rank)) - 1;
  return values[std::min(index, values.size() - 1)];
}

}  // namespace llmbatch
