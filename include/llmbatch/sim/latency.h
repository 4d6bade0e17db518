// Latency: how long the simulated provider thinks before it answers. Plain values; safe anywhere.
#pragma once

#include <string>
#include <string_view>

#include "llmbatch/base/clock.h"
#include "llmbatch/base/result.h"

namespace llmbatch::sim {

/// A distribution of waiting times.
struct Latency {
  enum class Shape { fixed, uniform, lognormal };

  Shape shape = Shape::fixed;
  Duration low{};   ///< fixed: the value; uniform: the smallest; lognormal: the median
  Duration high{};  ///< uniform: the largest; lognormal: the 95th percentile

  bool is_zero() const { return shape == Shape::fixed && low == Duration::zero(); }
  /// The waiting time for two independent uniform numbers in [0, 1). A lognormal is cut at ten
  /// times its 95th percentile, so that one draw cannot stall a rehearsal.
  Duration sample(double first, double second) const;
};

/// `0`, `250us`, `200ms`, `1.5s`, `2m`: a bare number other than 0 is refused.
Result<Duration> parse_delay(std::string_view text);

/// `200ms`, `100-300ms`, `100ms-2s`, `lognormal:800ms:3s` (median and 95th percentile).
Result<Latency> parse_latency(std::string_view text);

}  // namespace llmbatch::sim
