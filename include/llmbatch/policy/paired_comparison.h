// Two raters (models) on the same items: which is better, and how sure is that. And percentiles.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "llmbatch/policy/proportion.h"

namespace llmbatch {

/// Items that both were judged on, by who was right.
struct PairedCounts {
  std::int64_t both = 0;
  std::int64_t only_first = 0;
  std::int64_t only_second = 0;
  std::int64_t neither = 0;

  std::int64_t total() const { return both + only_first + only_second + neither; }
};

/// The exact two-sided test of Q. McNemar (1947): if both were equally good, each item that only
/// one of them got right would be a fair coin. min(1, 2 P(X <= min(b, c))), X ~ Bin(b + c, 1/2);
/// 1 when no item tells them apart.
double mcnemar_exact(const PairedCounts& counts);

/// The first one's share of right answers minus the second one's, with its interval from -1 to 1:
/// A. Agresti and Y. Min, Statistics in Medicine 24 (2005), "Wald+2": half an item is added to each
/// of the four counts, which keeps the coverage near what it says also in small samples.
struct PairedDifference {
  double difference = 0;
  double low = -1;
  double high = 1;
};
PairedDifference paired_difference(const PairedCounts& counts, double z = kZ95);

/// How many items it would take until the interval of the difference, as wide as it is for
/// `counts`, ends below `bound`: widths shrink with the square root of the number of items. Absent
/// when the difference itself is not below `bound`, or there is nothing to go by.
std::optional<std::int64_t> items_to_settle(const PairedCounts& counts, double bound,
                                            double z = kZ95);

/// The smallest value that at least `share` (0 to 1) of the values do not exceed (nearest rank);
/// absent without values. Sorts `values`.
std::optional<std::int64_t> percentile(std::vector<std::int64_t>& values, double share);

}  // namespace llmbatch
