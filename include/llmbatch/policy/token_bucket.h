// PacedBucket: a token bucket that is refilled continuously and never starts full, in its GCRA form
// (a theoretical arrival time instead of a count; ITU-T I.371). No window of `window` length ever
// holds more than `limit`, and in steady state at least 99.5 % of it is used (99 % below 1,000).
//
// The proof: after admissions j..k the arrival time is at least a_j - tolerance + sum(j..k) *
// interval, and the next admission is no earlier. So a window that holds admissions j..k+1
// satisfies sum(j..k) < (window + tolerance) / interval, which is less than limit because the
// interval is (window + slack) / limit with slack > tolerance. The slack also covers jitter on the
// way to the server.
//
// Amounts that are not 1 (tokens) could still pass the limit by the last admission; WindowLog
// closes that. Thread rule: one thread. Pure: every function takes `now`.
#pragma once

#include <array>
#include <cstdint>

#include "llmbatch/base/clock.h"

namespace llmbatch {

class PacedBucket {
 public:
  PacedBucket(std::int64_t limit, Duration window, SteadyTime now);

  /// The earliest time at which the next admission may happen, whatever its amount.
  SteadyTime ready_at() const { return arrival_; }
  void take(std::int64_t amount, SteadyTime now);
  /// Corrects an earlier take() by `difference` (positive: more was used than taken).
  void adjust(std::int64_t difference, SteadyTime now);
  /// No admission before `time`.
  void hold_until(SteadyTime time);
  /// Changes the limit; the pace changes from now on.
  void set_limit(std::int64_t limit);
  std::int64_t limit() const { return limit_; }
  /// Stretches the interval by `factor` (>= 1) until it is called again: a provider that reports
  /// little remaining quota is being used by others too.
  void set_slowdown(double factor) { slowdown_ = factor; }

 private:
  Duration cost(std::int64_t amount) const;

  std::int64_t limit_;
  Duration window_;
  double slowdown_ = 1.0;
  SteadyTime arrival_;  ///< theoretical arrival time of the next admission
};

/// WindowLog: what was taken in the last window, in slices; keeps amounts of any size within the
/// limit.
class WindowLog {
 public:
  static constexpr std::int64_t kSlices = 602;
  static constexpr Duration kSlice = std::chrono::milliseconds(100);

  /// When `amount` fits under `limit`; `now` or earlier: at once. Needs amount <= limit.
  SteadyTime fits_at(std::int64_t amount, std::int64_t limit, SteadyTime now);
  void add(std::int64_t amount, SteadyTime now);
  /// Corrects what was added at `then`; without effect once that slice has expired.
  void adjust(std::int64_t difference, SteadyTime then, SteadyTime now);
  /// Puts back what an earlier process had added at `then`.
  void restore(std::int64_t amount, SteadyTime then, SteadyTime now);
  std::int64_t sum() const { return sum_; }

  /// Visits (age of the slice's end at `now`, amount) of every slice in use.
  template <typename Visit>
  void visit(SteadyTime now, Visit visit_slice) {
    expire(now);
    for (std::int64_t slice = newest_ - kSlices + 1; slice <= newest_; ++slice) {
      const std::int64_t amount = at(slice);
      if (amount != 0) visit_slice(now - SteadyTime((slice + 1) * kSlice), amount);
    }
  }

 private:
  std::int64_t& at(std::int64_t slice) {
    return amounts_[static_cast<std::size_t>(((slice % kSlices) + kSlices) % kSlices)];
  }
  static std::int64_t slice_of(SteadyTime time) { return time.time_since_epoch() / kSlice; }
  void expire(SteadyTime now);

  std::array<std::int64_t, kSlices> amounts_{};
  std::int64_t newest_ = 0;
  std::int64_t sum_ = 0;
};

}  // namespace llmbatch
