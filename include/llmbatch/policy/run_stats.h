// RunStats: rates over the last minute, the error rate among the last finished items, the commonest
// errors. Thread rule: one thread. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/model/outcome.h"
#include "llmbatch/model/run_status.h"

namespace llmbatch {

class RunStats {
 public:
  static constexpr std::size_t kErrorWindow = 200;
  static constexpr std::size_t kErrorMinimum = 50;

  explicit RunStats(SteadyTime now) : started_(now) {}

  void on_call(const Usage* usage, SteadyTime now);
  void on_finished(ItemState state, ErrorClass error, std::string_view message, SteadyTime now);
  /// An item that was answered without a call: counts for the pace, not for the error rate.
  void on_reused(SteadyTime now) { ++slot(now).finished; }

  std::optional<double> calls_per_minute(SteadyTime now);
  std::optional<double> tokens_per_minute(SteadyTime now);
  std::optional<double> finished_per_second(SteadyTime now);

  /// Share of `failed`, `flagged` and `filtered` among the last finished items; absent before the
  /// first.
  std::optional<double> error_rate() const;
  /// True once at least kErrorMinimum finished and more than `limit` (0-1) of the window are
  /// errors.
  bool too_many_errors(double limit) const;
  /// At most `count`, commonest first.
  std::vector<ErrorTally> commonest_errors(std::size_t count) const;

 private:
  struct Second {
    std::int64_t second = -1;
    std::int64_t calls = 0;
    std::int64_t tokens = 0;
    std::int64_t finished = 0;
  };
  Second& slot(SteadyTime now);
  std::optional<double> per_minute(SteadyTime now, std::int64_t Second::*member);

  SteadyTime started_;
  std::array<Second, 61> seconds_{};
  std::deque<bool> window_;
  std::size_t window_errors_ = 0;
  std::map<std::pair<ErrorClass, std::string>, std::int64_t> errors_;
};

}  // namespace llmbatch
