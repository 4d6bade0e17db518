#include "llmbatch/policy/run_stats.h"

#include <algorithm>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

constexpr std::int64_t kRateSeconds = 60;
/// Messages that differ in ids and numbers would fill the table: past this, they share one entry.
constexpr std::size_t kDistinctErrors = 100;
constexpr std::size_t kMessageChars = 160;

std::int64_t second_of(SteadyTime time) {
  return time.time_since_epoch() / std::chrono::seconds(1);
}

bool is_error(ItemState state) {
  return state == ItemState::failed || state == ItemState::flagged || state == ItemState::filtered;
}

}  // namespace

RunStats::Second& RunStats::slot(SteadyTime now) {
  const std::int64_t second = second_of(now);
  Second& entry = seconds_[static_cast<std::size_t>(second) % seconds_.size()];
  if (entry.second != second) entry = Second{second, 0, 0, 0};
  return entry;
}

void RunStats::on_call(const Usage* usage, SteadyTime now) {
  Second& entry = slot(now);
  ++entry.calls;
  if (usage != nullptr) entry.tokens += usage->total();
}

void RunStats::on_finished(ItemState state, ErrorClass error, std::string_view message,
                           SteadyTime now) {
  ++slot(now).finished;
  window_.push_back(is_error(state));
  if (window_.back()) ++window_errors_;
  if (window_.size() > kErrorWindow) {
    if (window_.front()) --window_errors_;
    window_.pop_front();
  }
  if (state == ItemState::succeeded) return;
  std::string text = truncate_chars(sanitize_for_terminal(message), kMessageChars);
  if (errors_.size() >= kDistinctErrors && !errors_.contains({error, text})) text.clear();
  ++errors_[{error, std::move(text)}];
}

std::optional<double> RunStats::per_minute(SteadyTime now, std::int64_t Second::*member) {
  const std::int64_t current = second_of(now);
  std::int64_t sum = 0;
  for (const Second& entry : seconds_) {
    if (entry.second > current - kRateSeconds && entry.second <= current) sum += entry.*member;
  }
  const double covered = std::clamp(to_seconds(now - started_), 1.0, 60.0);
  if (sum == 0 && covered < 2.0) return std::nullopt;
  return static_cast<double>(sum) * 60.0 / covered;
}

std::optional<double> RunStats::calls_per_minute(SteadyTime now) {
  return per_minute(now, &Second::calls);
}

std::optional<double> RunStats::tokens_per_minute(SteadyTime now) {
  return per_minute(now, &Second::tokens);
}

std::optional<double> RunStats::finished_per_second(SteadyTime now) {
  const auto rate = per_minute(now, &Second::finished);
  if (!rate) return std::nullopt;
  return *rate / 60.0;
}

std::optional<double> RunStats::error_rate() const {
  if (window_.empty()) return std::nullopt;
  return static_cast<double>(window_errors_) / static_cast<double>(window_.size());
}

bool RunStats::too_many_errors(double limit) const {
  return window_.size() >= kErrorMinimum && error_rate().value_or(0) > limit;
}

std::vector<ErrorTally> RunStats::commonest_errors(std::size_t count) const {
  std::vector<ErrorTally> tallies;
  for (const auto& [key, number] : errors_) {
    tallies.push_back({std::string(to_string(key.first)), key.second, number});
  }
  std::stable_sort(tallies.begin(), tallies.end(),
                   [](const ErrorTally& a, const ErrorTally& b) { return a.count > b.count; });
  if (tallies.size() > count) tallies.resize(count);
  return tallies;
}

}  // namespace llmbatch
