// LatencyCounts: a histogram of latencies in bins of 1.6 % width, for percentiles and charts of any
// number of calls in a few kilobytes. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace llmbatch {

class LatencyCounts {
 public:
  void add(std::int64_t micros);
  void add(const LatencyCounts& other);
  std::int64_t count() const { return count_; }

  /// The latency that `share` (0-1) of the calls did not pass, exact to 1.6 %; within the smallest
  /// and largest that were added. Absent when there are none.
  std::optional<std::int64_t> percentile(double share) const;
  std::int64_t smallest() const { return smallest_; }
  std::int64_t largest() const { return largest_; }

  struct Bin {
    double low_micros = 0;
    double high_micros = 0;
    std::int64_t count = 0;
  };
  /// Bins of equal width on a logarithmic scale that cover all latencies, 10 to 40 of them where
  /// the spread allows it; the outermost thousandth may share the first and the last bin.
  std::vector<Bin> log_bins() const;

 private:
  std::vector<std::int64_t> counts_;
  std::int64_t count_ = 0;
  std::int64_t smallest_ = 0;
  std::int64_t largest_ = 0;
};

}  // namespace llmbatch
