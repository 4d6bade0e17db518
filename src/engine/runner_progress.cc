// What a run stores and tells about itself while it goes: the limiter's state with the commits, the
// status, and when either is due.
#include <algorithm>
#include <utility>

#include "llmbatch/engine/runner.h"

namespace llmbatch {
namespace {

constexpr Duration kReportInterval = std::chrono::milliseconds(100);
/// The state of the limiter is handed to the writer this often while anything is sent.
constexpr Duration kProgressInterval = std::chrono::milliseconds(50);
/// A state that is not durable for so long stops admission (longer on slow disks).
constexpr Duration kStateValidFor = std::chrono::milliseconds(250);

}  // namespace

bool Runner::limiter_state_is_fresh(SteadyTime now) const {
  if (!limiter_.limits_anything()) return true;
  if (settings_.limits.requests_per_day && counters_.calls >= durable_.calls_allowed) return false;
  return now - progress_durable_ <= std::max(kStateValidFor, 2 * commit_latency_);
}

std::uint64_t Runner::done_below_line() const {
  return slots_.lowest_line(std::min(parts_.source.next_line(), lowest_given_back_));
}

/// How many calls may start before the next state is durable: a kill costs the day no more than
/// these.
std::int64_t Runner::calls_in_advance() {
  const auto left = limiter_.requests_left_today(parts_.clock.wall_now());
  if (!left) return 0;
  return std::clamp<std::int64_t>(*left / 20, 1, concurrency_.limit());
}

RunProgress Runner::describe_progress(SteadyTime now, std::int64_t unknown_calls) {
  RunProgress progress;
  progress.done_below_line = done_below_line();
  progress.items = items_;
  progress.cost_ceiling = spending_.budget().settled();
  const Duration valid_for = std::max(kStateValidFor, 2 * commit_latency_);
  progress.limiter_state =
      limiter_.serialize(now, parts_.clock.wall_now(), valid_for, unknown_calls);
  progress.usage_means = estimate_.learnt();
  return progress;
}

void Runner::store_progress(SteadyTime now) {
  const bool status_due = now >= next_status_row_;
  // Of a day's calls a few more are stored than were made; when they are used up, the next few.
  const bool day_used = settings_.limits.requests_per_day && counters_.calls != calls_stored_;
  const bool money_used = spending_.budget().needs_higher_ceiling();
  if (now - progress_set_ < kProgressInterval && !status_due && !day_used && !money_used &&
      progress_set_ != SteadyTime{}) {
    return;
  }
  calls_stored_ = counters_.calls;
  const std::int64_t block = calls_in_advance();
  // What becomes durable is told by its stamp, which therefore must not occur twice.
  progress_stamp_ = std::max(now, progress_stamp_ + Duration(1));
  if (settings_.limits.requests_per_day) {
    handed_over_.push_back({progress_stamp_, counters_.calls + block});
  }
  RunProgress progress = describe_progress(now, block);
  progress.cost_ceiling = spending_.budget().hand_over(progress_stamp_);
  if (status_due) {
    next_status_row_ = now + kStatusRowInterval;
    refresh_status(now);
    progress.status = status_;
  }
  // Without anything to send or to wait for, the state may rest until the next status row.
  const bool sending = scheduler_.ready() > 0 && limiter_.limits_anything();
  const bool stale = now - progress_durable_ >= kStateValidFor / 2;
  writer_.set_progress(std::move(progress), progress_stamp_,
                       status_due || day_used || money_used || (sending && stale));
  progress_set_ = now;
}

void Runner::report_progress(SteadyTime now) {
  if (now < next_report_) return;
  next_report_ = now + kReportInterval;
  refresh_status(now);
  parts_.monitor.progress(status_);
}

void Runner::refresh_status(SteadyTime now) {
  status_.items = items_;
  status_.items[ItemState::in_flight] = static_cast<std::int64_t>(calls_in_flight_);
  status_.items[ItemState::pending] -= static_cast<std::int64_t>(calls_in_flight_);
  if (status_.cached > 0) status_.saved = status_.reuse.known_cost();
  status_.requests_per_minute = stats_.calls_per_minute(now);
  status_.tokens_per_minute = stats_.tokens_per_minute(now);
  status_.error_rate = stats_.error_rate();
  status_.errors = stats_.commonest_errors(5);
  status_.elapsed = now - started_;
  status_.concurrency = concurrency_.limit();
  status_.updated_at = parts_.clock.wall_now();
  spending_.refresh(status_, items_[ItemState::pending]);
  const auto rate = stats_.finished_per_second(now);
  const auto left = static_cast<double>(items_[ItemState::pending]);
  status_.eta_seconds.reset();
  if (rate && *rate > 0 && phase_ == Phase::running) status_.eta_seconds = left / *rate;
}

}  // namespace llmbatch
