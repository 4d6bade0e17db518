#include "llmbatch/policy/concurrency.h"

#include <algorithm>

namespace llmbatch {
namespace {

constexpr std::int64_t kStart = 8;
constexpr double kUseful = 1.03;
constexpr Duration kProbeInterval = std::chrono::seconds(20);
constexpr Duration kShortestWindow = std::chrono::milliseconds(50);

}  // namespace

ConcurrencyLimit::ConcurrencyLimit(std::optional<std::int64_t> fixed, std::int64_t maximum,
                                   SteadyTime now)
    : fixed_(fixed.has_value()),
      maximum_(std::max<std::int64_t>(maximum, 1)),
      limit_(fixed ? *fixed : std::min(kStart, maximum_)),
      previous_limit_(limit_),
      window_start_(now) {}

void ConcurrencyLimit::begin_window(SteadyTime now) {
  answers_ = 0;
  blocked_ = false;
  window_start_ = now;
}

void ConcurrencyLimit::on_answer(SteadyTime now) {
  if (fixed_) return;
  ++answers_;
  if (answers_ >= 2 * limit_ && now - window_start_ >= kShortestWindow) end_window(now);
}

void ConcurrencyLimit::end_window(SteadyTime now) {
  const double rate = static_cast<double>(answers_) / to_seconds(now - window_start_);
  const bool blocked = blocked_;
  begin_window(now);
  // When something else was the limit, the window says nothing about concurrency.
  if (!blocked) return;
  if (growing_ && limit_ > previous_limit_ && rate < previous_rate_ * kUseful) {
    growing_ = false;
    doubling_ = false;
    probe_after_ = now + kProbeInterval;
    limit_ = previous_limit_;
    return;
  }
  if (!growing_ && now < probe_after_) return;
  growing_ = true;
  previous_limit_ = limit_;
  previous_rate_ = rate;
  const std::int64_t step = doubling_ ? limit_ : std::max<std::int64_t>(1, limit_ / 4);
  limit_ = std::min(maximum_, limit_ + step);
}

void ConcurrencyLimit::on_overload(SteadyTime started, SteadyTime now) {
  if (fixed_ || started < last_cut_) return;
  last_cut_ = now;
  doubling_ = false;
  growing_ = false;
  probe_after_ = now + kProbeInterval / 4;
  limit_ = std::max<std::int64_t>(1, limit_ / 2);
  previous_limit_ = limit_;
  begin_window(now);
}

}  // namespace llmbatch
