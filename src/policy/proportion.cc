#include "llmbatch/policy/proportion.h"

#include <algorithm>
#include <cmath>

namespace llmbatch {

ShareInterval wilson_interval_of_share(double share, double n, double z) {
  if (n <= 0) return {};
  const double spread = z * z / n;
  const double centre = share + spread / 2;
  const double half = z * std::sqrt(share * (1 - share) / n + spread / (4 * n));
  // Rounding alone could leave [0, 1] or miss its ends.
  const double low = share <= 0 ? 0 : (centre - half) / (1 + spread);
  const double high = share >= 1 ? 1 : (centre + half) / (1 + spread);
  return {std::clamp(low, 0.0, 1.0), std::clamp(high, 0.0, 1.0)};
}

ShareInterval wilson_interval(std::int64_t successes, std::int64_t n, double z) {
  if (n <= 0) return {};
  const auto size = static_cast<double>(n);
  return wilson_interval_of_share(static_cast<double>(successes) / size, size, z);
}

std::optional<StratifiedShare> stratified_share(std::span<const Stratum> strata, double z) {
  StratifiedShare result;
  for (const Stratum& stratum : strata) {
    if (stratum.judged > 0) result.population += stratum.population;
  }
  if (result.population <= 0) return std::nullopt;
  double inverse_size = 0;
  for (const Stratum& stratum : strata) {
    if (stratum.judged <= 0) continue;
    const auto judged = static_cast<double>(stratum.judged);
    const double weight =
        static_cast<double>(stratum.population) / static_cast<double>(result.population);
    result.share += weight * static_cast<double>(stratum.good) / judged;
    inverse_size += weight * weight / judged;
  }
  result.share = std::clamp(result.share, 0.0, 1.0);
  result.effective_size = 1 / inverse_size;
  result.interval = wilson_interval_of_share(result.share, result.effective_size, z);
  return result;
}

}  // namespace llmbatch
