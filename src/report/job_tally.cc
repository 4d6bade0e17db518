#include "llmbatch/report/job_tally.h"

#include <algorithm>
#include <utility>

namespace llmbatch {
namespace {

constexpr std::size_t kMessageBytes = 400;
constexpr std::size_t kMostShapes = 64;
constexpr std::size_t kShownMessages = 3;
constexpr std::size_t kMostModels = 48;
constexpr std::string_view kOtherModels = "(others)";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void add(ModelTally& tally, const AttemptFacts& attempt) {
  ++tally.attempts;
  if (attempt.cost) {
    tally.cost += *attempt.cost;
    ++tally.priced;
  }
  if (!attempt.usage) return;
  if (!attempt.cost) ++tally.unpriced;
  tally.usage.input += attempt.usage->input;
  tally.usage.cached_input += attempt.usage->cached_input;
  tally.usage.cache_write += attempt.usage->cache_write;
  tally.usage.output += attempt.usage->output;
  tally.usage.reasoning += attempt.usage->reasoning;
}

}  // namespace

std::string message_shape(std::string_view message) {
  std::string shape;
  for (const char c : message) {
    if (!is_digit(c)) {
      shape += c;
    } else if (shape.empty() || shape.back() != '0') {
      shape += '0';
    }
  }
  return shape;
}

void JobTally::add_attempt(const AttemptFacts& attempt) {
  activity_.add_attempt(attempt);
  if (attempt.number > 1) ++retries_;
  if (attempt.error == ErrorClass::none) {
    if (attempt.batch == 0) latency_.add(attempt.latency_us);
  } else {
    count_error(attempt);
  }
  add(total_, attempt);
  if (attempt.batch != 0) add(in_batches_, attempt);
  count_model(attempt);
  count_run(attempt);
}

void JobTally::count_error(const AttemptFacts& attempt) {
  Messages& messages = errors_[attempt.error];
  ++messages.attempts;
  if (attempt.error_message.empty()) return;
  const std::string_view text = attempt.error_message.substr(0, kMessageBytes);
  std::string shape = message_shape(text);
  const auto known = messages.by_shape.find(shape);
  if (known != messages.by_shape.end()) {
    ++known->second.count;
  } else if (messages.by_shape.size() < kMostShapes) {
    messages.by_shape.emplace(std::move(shape), MessageCount{std::string(text), 1});
  }
}

void JobTally::count_model(const AttemptFacts& attempt) {
  auto known = models_.find(attempt.model);
  if (known == models_.end()) {
    const std::string name(models_.size() < kMostModels ? attempt.model : kOtherModels);
    known = models_.try_emplace(name).first;
    known->second.name = name;
  }
  add(known->second, attempt);
}

void JobTally::count_run(const AttemptFacts& attempt) {
  const std::int64_t end_ms = attempt.started_ms + attempt.latency_us / 1000;
  first_ms_ = std::min(first_ms_.value_or(attempt.started_ms), attempt.started_ms);
  last_ms_ = std::max(last_ms_.value_or(end_ms), end_ms);
  if (runs_.empty() || runs_.back().run != attempt.run) {
    if (runs_.size() == kKeptRuns) {
      active_ms_ += runs_.front().last_ms - runs_.front().first_ms;
      runs_.erase(runs_.begin());
    }
    RunTally run;
    run.run = attempt.run;
    runs_.push_back(run);
  }
  RunTally& run = runs_.back();
  ++run.attempts;
  if (attempt.error != ErrorClass::none) ++run.errors;
  if (attempt.batch == 0) {
    run.first_ms = run.calls == 0 ? attempt.started_ms : std::min(run.first_ms, attempt.started_ms);
    run.last_ms = run.calls == 0 ? end_ms : std::max(run.last_ms, end_ms);
    ++run.calls;
  }
  if (attempt.cost) run.cost += *attempt.cost;
  if (attempt.usage && !attempt.cost) ++run.unpriced;
}

void JobTally::add_item(const ItemFacts& item) {
  activity_.add_item(item);
  if (item.cached) ++cached_items_;
  const auto place = std::clamp<std::int64_t>(item.attempts, 0, kAttemptPlaces - 1);
  ++items_by_attempts_[static_cast<std::size_t>(place)];
  if (is_final(item.state) && item.error != ErrorClass::none) ++errors_[item.error].items;
}

void JobTally::finish() {
  activity_.finish();
  for (const RunTally& run : runs_) active_ms_ += run.last_ms - run.first_ms;
}

std::vector<ErrorClassTally> JobTally::errors() const {
  std::vector<ErrorClassTally> result;
  for (const auto& [error, messages] : errors_) {
    ErrorClassTally tally;
    tally.error = error;
    tally.attempts = messages.attempts;
    tally.items = messages.items;
    for (const auto& [shape, message] : messages.by_shape) tally.messages.push_back(message);
    std::stable_sort(tally.messages.begin(), tally.messages.end(),
                     [](const auto& a, const auto& b) { return a.count > b.count; });
    if (tally.messages.size() > kShownMessages) tally.messages.resize(kShownMessages);
    result.push_back(std::move(tally));
  }
  std::stable_sort(result.begin(), result.end(), [](const auto& a, const auto& b) {
    return std::pair(a.attempts, a.items) > std::pair(b.attempts, b.items);
  });
  return result;
}

std::vector<ModelTally> JobTally::models() const {
  std::vector<ModelTally> result;
  for (const auto& [name, tally] : models_) result.push_back(tally);
  std::stable_sort(result.begin(), result.end(),
                   [](const auto& a, const auto& b) { return a.attempts > b.attempts; });
  return result;
}

}  // namespace llmbatch
