// Proportion: a share counted in a sample, and how far it can be from the share of the whole.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace llmbatch {

/// The standard normal's 97.5 % quantile: two-sided 95 %.
inline constexpr double kZ95 = 1.959963984540054;

/// Shares from 0 to 1.
struct ShareInterval {
  double low = 0;
  double high = 1;
};

/// The score interval of E. B. Wilson (1927) for `successes` of `n`: never leaves [0, 1], and is
/// honest for small n and for shares near 0 and 1. [0, 1] when `n` is 0.
ShareInterval wilson_interval(std::int64_t successes, std::int64_t n, double z = kZ95);

/// The same from a share and a sample size that need not be whole (an effective one).
ShareInterval wilson_interval_of_share(double share, double n, double z = kZ95);

/// One part of a population, from which a sample of its own was judged.
struct Stratum {
  std::int64_t population = 0;
  std::int64_t judged = 0;
  std::int64_t good = 0;
};

struct StratifiedShare {
  double share = 0;
  ShareInterval interval;
  /// The size of a plain random sample that would be as exact.
  double effective_size = 0;
  /// What it speaks of: the populations of the strata of which anything was judged.
  std::int64_t population = 0;
};

/// The share of good in the whole: each stratum's share weighted by its population, with the Wilson
/// interval of the effective sample size 1 / sum(weight^2 / judged). Strata of which nothing was
/// judged are left out; absent when that leaves none. No correction for finite populations: the
/// interval is too wide, never too narrow, where much of a population was judged.
std::optional<StratifiedShare> stratified_share(std::span<const Stratum> strata, double z = kZ95);

}  // namespace llmbatch
