#include "llmbatch/engine/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "llmbatch/base/check.h"

namespace llmbatch {
namespace {

/// Items that wait for their next attempt, per call allowed at a time, before no more are taken up.
constexpr std::size_t kDelayedPerCall = 16;
/// Calls that are made alone to warm the prompt cache; when all of them fail, nobody waits longer.
constexpr int kWarmUpCalls = 3;
/// Items that wait for another one's answer, or have it and are not durable yet, before no more are
/// taken up; and the bytes of their input that are kept meanwhile.
constexpr std::size_t kMaxUncalled = 4096;
constexpr std::size_t kMaxWaitingBytes = 4u << 20;

}  // namespace

Runner::Runner(RunnerParts parts, RunnerSettings settings, RunStatus status)
    : parts_(parts),
      settings_(std::move(settings)),
      status_(std::move(status)),
      items_(status_.items),
      random_(settings_.random_seed),
      limiter_(settings_.limits, parts.clock.now()),
      concurrency_(settings_.concurrency, settings_.max_concurrency, parts.clock.now()),
      retry_policy_(settings_.retries),
      estimate_(settings_.usage_means),
      spending_(settings_.spending, status_),
      stats_(parts.clock.now()),
      reuses_(parts.answers != nullptr &&
              (parts.source.has_repeats() || parts.answers->has_shared())),
      writer_(parts.store, items_, [&transport = parts.transport] { transport.wake(); }),
      started_(parts.clock.now()),
      next_report_(started_),
      next_status_row_(started_ + kStatusRowInterval) {
  if (!settings_.limiter_state.empty()) {
    limiter_.restore(settings_.limiter_state, started_, parts.clock.wall_now());
  }
  if (settings_.warm_prompt_cache) warm_up_calls_left_ = kWarmUpCalls;
  if (parts_.interrupts.fd() >= 0) parts_.transport.watch(parts_.interrupts.fd());
}

RunResult Runner::run() {
  status_.running = true;
  status_.started_at = parts_.clock.wall_now();
  refresh_status(started_);
  parts_.monitor.run_started(status_);
  while (step()) {
  }
  return finish();
}

bool Runner::step() {
  const SteadyTime now = parts_.clock.now();
  check_interrupts(now);
  check_duration(now);
  collect_commits(now);
  refill();
  const SteadyTime deadline = admit(now);
  store_progress(now);
  report_progress(now);
  writer_.flush();
  if (phase_ != Phase::running) release_waiting();
  if (slots_.in_use() == 0 && (source_ended_ || phase_ != Phase::running)) return false;
  if (error_ && calls_in_flight_ == 0) return false;
  wait_and_settle(deadline);
  return true;
}

void Runner::check_interrupts(SteadyTime now) {
  const InterruptState state = parts_.interrupts.poll();
  if (state.window_changed) parts_.monitor.window_changed();
  if (state.status_requested) {
    refresh_status(now);
    parts_.monitor.status_line(status_);
  }
  if (state.stop_requests >= 1 && stop_signal_ == 0) {
    stop_signal_ = state.stop_signal;
    if (end_ == RunEnding::completed) end_ = RunEnding::interrupted;
    drain_deadline_ = now + settings_.drain_timeout;
    stop_starting(Phase::draining);
    parts_.monitor.message(
        fmt::format("interrupted: waiting for {} in flight (at most {}); again to abort",
                    count_calls(), format_duration(settings_.drain_timeout)));
  }
  const bool abort = state.stop_requests >= 2 || now >= drain_deadline_;
  if (abort && phase_ != Phase::aborting) {
    stop_starting(Phase::aborting);
    parts_.transport.abort_all();
  }
}

std::string Runner::count_calls() const {
  return calls_in_flight_ == 1 ? "1 call" : fmt::format("{} calls", calls_in_flight_);
}

void Runner::stop_starting(Phase phase) { phase_ = std::max(phase_, phase); }

void Runner::pause(std::string reason) {
  if (end_ != RunEnding::completed) return;
  end_ = RunEnding::paused;
  status_.pause_reason = std::move(reason);
  stop_starting(Phase::draining);
}

void Runner::fail(Error error) {
  if (error_) return;
  end_ = RunEnding::failed;
  error_ = std::move(error);
  stop_starting(Phase::aborting);
  parts_.transport.abort_all();
}

void Runner::collect_commits(SteadyTime now) {
  writer_.collect(collected_);
  if (collected_.error) fail(*collected_.error);
  if (collected_.progress_stamp) {
    progress_durable_ = *collected_.progress_stamp;
    spending_.budget().on_durable(progress_durable_);
    while (!handed_over_.empty() && handed_over_.front().stamp <= progress_durable_) {
      durable_ = handed_over_.front();
      handed_over_.pop_front();
    }
    const Duration latency = now - progress_durable_;
    commit_latency_ = (commit_latency_ * 7 + latency) / 8;
  }
  for (const SlotNumber number : collected_.tickets) on_durable(number, now);
}

void Runner::on_durable(SlotNumber number, SteadyTime now) {
  Slot& slot = slots_[number];
  --(slot.reused ? committing_reused_ : committing_);
  slot.recorded = true;
  if (slot.retry_at) {
    scheduler_.delay(number, *std::exchange(slot.retry_at, std::nullopt));
    return;
  }
  if (is_final(slot.final_state)) {
    finish_item(slot, now);
    release(number);
  } else {
    give_back(number);
  }
}

void Runner::finish_item(Slot& slot, SteadyTime now) {
  ++counters_.finished;
  ++items_[slot.final_state];
  --items_[ItemState::pending];
  ++status_.finished_this_run;
  if (slot.result) parts_.monitor.item_finished(*slot.result);
  if (slot.reused) {
    // Says nothing about how the provider does.
    stats_.on_reused(now);
    return;
  }
  stats_.on_finished(slot.final_state, slot.final_error, slot.final_message, now);
  guard_error_rate();
}

void Runner::guard_error_rate() {
  if (settings_.max_error_rate >= 1 || !stats_.too_many_errors(settings_.max_error_rate)) return;
  if (!settings_.pause_on_error_rate && error_rate_warned_) return;
  const double percent = stats_.error_rate().value_or(0) * 100;
  std::string text = fmt::format("error rate {:.0f} % over the limit of {:g} %", percent,
                                 settings_.max_error_rate * 100);
  for (const ErrorTally& tally : stats_.commonest_errors(3)) {
    text += fmt::format("; {} x {}{}{}", tally.count, tally.error_class,
                        tally.message.empty() ? "" : ": ", tally.message);
  }
  if (settings_.pause_on_error_rate) {
    pause(std::move(text));
  } else {
    error_rate_warned_ = true;
    parts_.monitor.message("warning: " + text);
  }
}

void Runner::refill() {
  while (may_pull()) {
    const SlotNumber number = slots_.acquire();
    Slot& slot = slots_[number];
    const Result<bool> more = parts_.source.next(slot.item);
    if (!more || !*more) {
      slots_.release(number);
      source_ended_ = true;
      if (!more) fail(more.error());
      return;
    }
    ++counters_.pulled;
    if (enough_items(number)) {
      ++counters_.waited;
      return;
    }
    slot.recorded = slot.item.attempts > 0;
    if (!needs_no_call(number)) enqueue(number);
  }
}

bool Runner::may_pull() {
  const auto limit = static_cast<std::size_t>(concurrency_.limit());
  if (phase_ != Phase::running || source_ended_ || scheduler_.ready() >= 2 * limit ||
      scheduler_.delayed() >= kDelayedPerCall * limit) {
    return false;
  }
  if (!reuses_) return true;
  return groups_.waiting() + committing_reused_ < kMaxUncalled &&
         groups_.waiting_bytes() < kMaxWaitingBytes && writer_.has_room();
}

void Runner::enqueue(SlotNumber number) {
  ++counters_.queued;
  scheduler_.add_ready(number);
}

SteadyTime Runner::admit(SteadyTime now) {
  scheduler_.advance(now);
  SteadyTime deadline = std::min(next_report_, next_status_row_);
  if (settings_.max_duration && now < started_ + *settings_.max_duration) {
    deadline = std::min(deadline, started_ + *settings_.max_duration);
  }
  status_.waiting_for.clear();
  if (phase_ != Phase::running) {
    status_.waiting_for = fmt::format("{} in flight, nothing new is sent", count_calls());
    return std::min(deadline, drain_deadline_);
  }
  while (phase_ == Phase::running && may_start(now, deadline)) {
    const SlotNumber number = *scheduler_.peek();
    scheduler_.pop();
    start(number, now);
  }
  if (const auto due = scheduler_.next_due()) {
    deadline = std::min(deadline, *due);
    if (calls_in_flight_ == 0 && scheduler_.ready() == 0 && committing_ == 0) {
      status_.waiting_for = fmt::format("retry, {:.0f} s", std::ceil(to_seconds(*due - now)));
    }
  }
  return deadline;
}

bool Runner::may_start(SteadyTime now, SteadyTime& deadline) {
  const auto next = scheduler_.peek();
  if (!next) return false;
  if (!writer_.has_room()) {
    status_.waiting_for = "disk";
    return false;
  }
  if (!limiter_state_is_fresh(now)) {
    status_.waiting_for = "disk";
    return false;
  }
  if (const auto ready_at = limiter_wait(slots_[*next], now)) {
    deadline = std::min(deadline, *ready_at);
    return false;
  }
  if (phase_ != Phase::running || !cost_allows(slots_[*next], now)) return false;
  if (warm_up_calls_left_ > 0 && calls_in_flight_ > 0) {
    status_.waiting_for = "the first answer, to warm the prompt cache";
    return false;
  }
  const auto limit = static_cast<std::size_t>(concurrency_.limit());
  if (calls_in_flight_ >= limit || unfinished_calls() >= 2 * limit) {
    concurrency_.on_blocked();
    return false;
  }
  return true;
}

std::size_t Runner::unfinished_calls() const { return calls_in_flight_ + committing_; }

std::optional<SteadyTime> Runner::limiter_wait(Slot& slot, SteadyTime now) {
  if (const auto until = limiter_.day_exhausted_until(parts_.clock.wall_now())) {
    pause(
        fmt::format("requests per day used up; there is room again at {}", format_rfc3339(*until)));
    return std::nullopt;
  }
  if (never_fits(slot, now)) return std::nullopt;
  const RateLimiter::Answer answer = limiter_.ask(limiter_.within_limits(expected_use(slot)), now);
  if (answer.ready_at <= now) return std::nullopt;
  status_.waiting_for =
      fmt::format("{}, {:.0f} s", answer.reason, std::ceil(to_seconds(answer.ready_at - now)));
  return answer.ready_at;
}

/// The limit that this request alone is larger than, if there is one.
std::optional<std::string_view> Runner::never_fits(Slot& slot, SteadyTime now) {
  const TokenReservation at_most = TokenEstimate::at_most(slot.request());
  if (!limiter_.ask(at_most, now).never) return std::nullopt;
  const RateLimiter::Answer answer = limiter_.ask(estimate_.least(counted_input(slot)), now);
  if (!answer.never) return std::nullopt;
  return answer.reason;
}

void Runner::start(SlotNumber number, SteadyTime now) {
  Slot& slot = slots_[number];
  if (const auto limit = never_fits(slot, now)) {
    const TokenReservation least = estimate_.least(counted_input(slot));
    finish_unsent(number, ErrorClass::too_large,
                  fmt::format("needs at least {} tokens, more than the whole {}",
                              least.input + least.output, *limit));
    return;
  }
  slot.reservation = limiter_.within_limits(expected_use(slot));
  slot.started_at = now;
  const Status started = parts_.transport.start(number, slot.request().url, slot.request().body);
  if (!started) {
    finish_unsent(number, ErrorClass::invalid_request, started.error().message);
    return;
  }
  limiter_.take(slot.reservation, now, parts_.clock.wall_now());
  spending_.start(slot);
  ++counters_.calls;
  ++calls_in_flight_;
}

void Runner::wait_and_settle(SteadyTime deadline) {
  completions_.clear();
  parts_.transport.wait(deadline, completions_);
  const SteadyTime now = parts_.clock.now();
  for (TransportCompletion& completion : completions_) settle(completion, now);
  // The writer starts while the loop looks for more to do.
  writer_.flush();
}

void Runner::release_waiting() {
  for (const SlotNumber number : scheduler_.drain()) give_back(number);
  for (const SlotNumber number : groups_.drain()) {
    ++counters_.waited;
    give_back(number);
  }
}

/// The item stays pending: the next run begins at its line at the latest.
void Runner::give_back(SlotNumber number) {
  ++counters_.released;
  lowest_given_back_ = std::min(lowest_given_back_, slots_[number].item.place.line);
  release(number);
}

void Runner::release(SlotNumber number) {
  if (reuses_) groups_.forget(slots_[number].item.seq, number);
  slots_.release(number);
}

RunResult Runner::finish() {
  const SteadyTime now = parts_.clock.now();
  const Status stored = writer_.finish();
  writer_.collect(collected_);
  for (const SlotNumber number : collected_.tickets) on_durable(number, now);
  if (!stored) fail(stored.error());
  if (end_ != RunEnding::failed) {
    LLMBATCH_CHECK(counters_.calls == counters_.answered);
    LLMBATCH_CHECK(counters_.pulled == counters_.finished + counters_.released);
    LLMBATCH_CHECK(counters_.pulled == counters_.queued + counters_.reused + counters_.waited);
    LLMBATCH_CHECK(slots_.in_use() == 0);
  }
  pause_after_max_items();
  refresh_status(now);
  status_.running = false;
  status_.waiting_for.clear();
  RunResult result{end_, status_, error_, stop_signal_, describe_progress(now, 0)};
  if (end_ == RunEnding::paused) {
    parts_.monitor.run_paused(status_);
  } else {
    parts_.monitor.run_finished(status_);
  }
  return result;
}

}  // namespace llmbatch
