// ConcurrencyLimit: how many calls may be in flight. `auto` starts at 8, grows while more calls
// bring more answers, halves when the provider says that it is too much (429, 503, 529). Growing is
// judged by throughput: a step that brings less than 3 % more is taken back and tried again later.
// Thread rule: one thread. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "llmbatch/base/clock.h"

namespace llmbatch {

class ConcurrencyLimit {
 public:
  /// `fixed` absent: auto, up to `maximum`.
  ConcurrencyLimit(std::optional<std::int64_t> fixed, std::int64_t maximum, SteadyTime now);

  std::int64_t limit() const { return limit_; }
  /// An item was ready and only this limit kept it from starting.
  void on_blocked() { blocked_ = true; }
  void on_answer(SteadyTime now);
  /// The provider refused a call that had started at `started`. Calls that started before the last
  /// cut say nothing new.
  void on_overload(SteadyTime started, SteadyTime now);

 private:
  void begin_window(SteadyTime now);
  void end_window(SteadyTime now);

  bool fixed_;
  std::int64_t maximum_;
  std::int64_t limit_;
  std::int64_t previous_limit_;
  double previous_rate_ = 0;
  bool growing_ = true;   ///< the last step up has not been judged useless
  bool doubling_ = true;  ///< until the first cut or useless step
  bool blocked_ = false;
  std::int64_t answers_ = 0;
  SteadyTime window_start_;
  SteadyTime last_cut_{};
  SteadyTime probe_after_{};
};

}  // namespace llmbatch
