#include "llmbatch/report/activity_log.h"

#include <algorithm>
#include <array>

namespace llmbatch {
namespace {

constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kHour = 3600 * kSecond;
/// Each divides the next.
constexpr std::array<std::int64_t, 15> kSteps{
    100,          500,          kSecond,       5 * kSecond,   10 * kSecond,
    30 * kSecond, 60 * kSecond, 300 * kSecond, 600 * kSecond, 1800 * kSecond,
    kHour,        3 * kHour,    12 * kHour,    24 * kHour,    168 * kHour};
constexpr std::size_t kMostSlices = 160;
/// Attempts come in the order of their ends. A call that lasted longer than this is missing in the
/// minute of its start.
constexpr std::int64_t kOldestOpenSecond = 1800;

std::int64_t floor_divide(std::int64_t value, std::int64_t divisor) {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}

void add(ActivitySlice& sum, const ActivitySlice& part) {
  sum.requests += part.requests;
  sum.busiest_minute = std::max(sum.busiest_minute, part.busiest_minute);
  sum.answers += part.answers;
  sum.latency.add(part.latency);
  sum.rate_limited += part.rate_limited;
  sum.other_errors += part.other_errors;
  sum.input_tokens += part.input_tokens;
  sum.output_tokens += part.output_tokens;
  sum.cost += part.cost;
  sum.succeeded += part.succeeded;
  sum.problems += part.problems;
  sum.done_in_batches += part.done_in_batches;
}

}  // namespace

std::int64_t ActivityLog::step_ms() const { return kSteps[step_]; }

bool ActivityLog::can_coarsen() const { return step_ + 1 < kSteps.size(); }

ActivitySlice& ActivityLog::slice_at(std::int64_t millis) {
  std::int64_t index = floor_divide(millis, step_ms());
  if (last_ != nullptr && last_->index == index) return *last_;
  if (!slices_.contains(index)) {
    while (slices_.size() >= kMostSlices && can_coarsen()) coarsen();
    index = floor_divide(millis, step_ms());
  }
  last_ = &slices_[index];
  last_->index = index;
  return *last_;
}

void ActivityLog::coarsen() {
  const std::int64_t factor = kSteps[step_ + 1] / kSteps[step_];
  std::map<std::int64_t, ActivitySlice> joined;
  for (const auto& [index, slice] : slices_) {
    const std::int64_t new_index = floor_divide(index, factor);
    ActivitySlice& sum = joined[new_index];
    sum.index = new_index;
    add(sum, slice);
  }
  slices_ = std::move(joined);
  last_ = nullptr;
  ++step_;
}

void ActivityLog::add_attempt(const AttemptFacts& attempt) {
  const bool call = attempt.batch == 0;
  if (call) {
    ++slice_at(attempt.started_ms).requests;
    count_second(attempt.started_ms);
  }
  ActivitySlice& end = slice_at(attempt.started_ms + attempt.latency_us / 1000);
  if (attempt.error == ErrorClass::none) {
    ++end.answers;
    if (call) end.latency.add(attempt.latency_us);
  } else if (attempt.error == ErrorClass::rate_limited) {
    ++end.rate_limited;
  } else {
    ++end.other_errors;
  }
  // What a batch used over hours is told at once: it would stand as a peak where nothing was sent.
  if (call && attempt.usage) {
    end.input_tokens += attempt.usage->input;
    end.output_tokens += attempt.usage->output;
  }
  if (attempt.cost) end.cost += *attempt.cost;
}

void ActivityLog::add_item(const ItemFacts& item) {
  if (!item.finished_ms || !is_final(item.state)) return;
  ActivitySlice& slice = slice_at(*item.finished_ms);
  ++(item.state == ItemState::succeeded ? slice.succeeded : slice.problems);
  if (item.in_batch) ++slice.done_in_batches;
}

void ActivityLog::count_second(std::int64_t millis) {
  const std::int64_t second = floor_divide(millis, kSecond);
  newest_second_ = recent_seconds_.empty() ? second : std::max(newest_second_, second);
  ++recent_seconds_[second];
  while (recent_seconds_.begin()->first < newest_second_ - kOldestOpenSecond) {
    settle_oldest_second();
  }
}

void ActivityLog::settle_oldest_second() {
  const auto oldest = recent_seconds_.begin();
  const Second added{oldest->first, oldest->second};
  recent_seconds_.erase(oldest);
  if (!minute_.empty() && added.second <= minute_.back().second) return;  // came far too late
  minute_.push_back(added);
  minute_requests_ += added.requests;
  while (minute_.front().second <= added.second - 60) {
    minute_requests_ -= minute_.front().requests;
    minute_.pop_front();
  }
  busiest_minute_ = std::max(busiest_minute_, minute_requests_);
  // The slice of these requests may begin within the second.
  ActivitySlice& slice = slice_at((added.second + 1) * kSecond - 1);
  slice.busiest_minute = std::max(slice.busiest_minute, minute_requests_);
}

void ActivityLog::finish() {
  while (!recent_seconds_.empty()) settle_oldest_second();
}

std::vector<ActivitySlice> ActivityLog::slices() const {
  std::vector<ActivitySlice> result;
  result.reserve(slices_.size());
  for (const auto& [index, slice] : slices_) result.push_back(slice);
  return result;
}

}  // namespace llmbatch
