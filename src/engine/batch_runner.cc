#include "llmbatch/engine/batch_runner.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "batch_filling.h"
#include "llmbatch/base/text.h"

namespace llmbatch {

BatchRunner::BatchRunner(BatchRunnerParts parts, BatchRunnerSettings settings, RunStatus status)
    : parts_(std::move(parts)),
      settings_(std::move(settings)),
      status_(std::move(status)),
      items_(status_.items),
      random_(settings_.random_seed),
      retry_policy_(settings_.retries),
      spending_(settings_.spending, status_),
      stats_(parts_.clock.now()),
      started_(parts_.clock.now()) {}

BatchRunner::~BatchRunner() = default;

RunResult BatchRunner::run() {
  status_.running = true;
  status_.interrupt_cancels = settings_.cancel_on_interrupt;
  status_.started_at = parts_.clock.wall_now();
  refresh_status();
  parts_.monitor.run_started(status_);
  if (check(load())) {
    mark_changed();
    while (step()) {
    }
  }
  return finish();
}

void BatchRunner::fail(Error error) {
  if (error_) return;
  end_ = RunEnding::failed;
  ended_ = true;
  error_ = std::move(error);
}

void BatchRunner::pause(std::string reason) {
  if (ended_) return;
  end_ = RunEnding::paused;
  ended_ = true;
  status_.pause_reason = std::move(reason);
}

bool BatchRunner::step() {
  if (check_stop()) return false;
  report(false);
  const bool writes = !settings_.write_directory.empty();
  if (!writes && look_after_due()) return !ended_;
  if (may_fill()) {
    fill();
    return !ended_;
  }
  if (open_.empty()) return false;
  // Candidates are not cancelled: at the deadline nothing is left to do about them.
  const bool theirs_alone = std::all_of(open_.begin(), open_.end(), [this](const Open& batch) {
    const bool candidate =
        batch.record.stage == BatchStage::submitted && batch.record.call_begun_at.has_value();
    return batch.record.stage == BatchStage::written || (candidate && gives_up());
  });
  if (writes || theirs_alone || (!settings_.wait && everything_is_left_running())) {
    if (!writes) pause_for_failures();
    if (!ended_) end_ = RunEnding::in_batches;
    return false;
  }
  wait();
  return true;
}

/// True when something was due.
bool BatchRunner::look_after_due() {
  const SteadyTime now = parts_.clock.now();
  const auto due = std::find_if(open_.begin(), open_.end(), [&](const Open& batch) {
    return batch.next_at <= now && batch.record.stage != BatchStage::written;
  });
  if (due == open_.end()) return false;
  if (gives_up() && !due->record.cancel_asked) cancel(*due);
  if (!ended_) advance(*due);
  std::erase_if(open_, [](const Open& batch) { return !is_open(batch.record.stage); });
  return true;
}

bool BatchRunner::gives_up() const {
  return settings_.give_up_at && parts_.clock.wall_now() >= *settings_.give_up_at;
}

bool BatchRunner::check_stop() {
  const InterruptState state = parts_.interrupts.poll();
  if (state.window_changed) parts_.monitor.window_changed();
  if (state.status_requested) {
    refresh_status();
    parts_.monitor.status_line(status_);
  }
  if (state.stop_requests > 0) {
    stop_signal_ = state.stop_signal;
    end_interrupted();
    return true;
  }
  const SteadyTime now = parts_.clock.now();
  if (settings_.max_duration && now >= started_ + *settings_.max_duration) {
    pause(fmt::format("--max-duration {} is over", format_duration(*settings_.max_duration)));
  }
  return ended_;
}

void BatchRunner::end_interrupted() {
  if (ended_) return;
  ended_ = true;
  end_ = RunEnding::interrupted;
  if (settings_.cancel_on_interrupt) cancel_open();
  const auto running = std::count_if(open_.begin(), open_.end(), [](const Open& batch) {
    return batch.record.stage == BatchStage::submitted && !batch.record.cancel_asked;
  });
  for (const Open& batch : open_) {
    if (!batch.record.call_begun_at || batch.record.stage == BatchStage::submitted) continue;
    tell(fmt::format("interrupted: batch {} may be at the provider; the same command finds out",
                     batch.record.number));
  }
  if (running > 0) {
    tell(
        fmt::format("interrupted: {} on at the provider; the same command collects what {}, "
                    "`llmbatch batches cancel` ends {}",
                    running == 1 ? "1 batch goes" : fmt::format("{} batches go", running),
                    running == 1 ? "it brings" : "they bring", running == 1 ? "it" : "them"));
  }
}

void BatchRunner::cancel_open() {
  for (Open& batch : open_) {
    if (batch.record.stage == BatchStage::submitted && !batch.record.cancel_asked) cancel(batch);
  }
}

/// Asks for it once; what comes of it shows the next look. False when it could not be asked.
bool BatchRunner::cancel(Open& batch) {
  if (batch.record.stage == BatchStage::written) return true;
  if (batch.record.stage != BatchStage::submitted) {
    // Nothing runs yet: whatever may have been sent is looked for first.
    if (!batch.record.call_begun_at) discard(batch, "given up before it was submitted");
    return true;
  }
  if (batch.record.call_begun_at) {
    tell(fmt::format("batch {}: whether {} is this batch is not certain, so it is not cancelled",
                     batch.record.number, sanitize_for_terminal(batch.record.remote_id)));
    batch.record.cancel_asked = true;
    return true;
  }
  const HttpReply reply = send(parts_.api.cancel(batch.record.remote_id));
  const Verdict verdict = judge(reply);
  if (verdict.trouble != Trouble::none && verdict.trouble != Trouble::refused) {
    tell(fmt::format("warning: batch {} could not be cancelled: {}", batch.record.number,
                     verdict.message));
    return false;
  }
  std::string said = verdict.message;
  if (verdict.trouble == Trouble::none) {
    const auto remote = parts_.api.parse_batch(reply);
    if (remote) batch.record.remote_state = remote->state;
    said = remote ? fmt::format("it is {} now", to_string(remote->state)) : "";
    batch.interval = settings_.poll_interval;
  }
  // What refuses has ended meanwhile.
  batch.record.cancel_asked = true;
  tell(fmt::format("batch {}: {}{}; what it has answered is collected", batch.record.number,
                   verdict.trouble == Trouble::none ? "cancelled" : "not cancelled",
                   said.empty() ? "" : ", " + said));
  return write_record(batch.record);
}

/// With --no-wait: nothing is left that can be done now.
bool BatchRunner::everything_is_left_running() const {
  return std::all_of(open_.begin(), open_.end(), [](const Open& batch) {
    if (batch.record.stage == BatchStage::written) return true;
    const bool stays = batch.record.stage == BatchStage::submitted || batch.record.queue_full;
    constexpr int kEnoughFailures = 3;
    return (stays && batch.looked_at && batch.failures == 0) || batch.failures >= kEnoughFailures;
  });
}

/// "In progress" is not said of what could not be sent, or of answers that do not come.
void BatchRunner::pause_for_failures() {
  constexpr int kEnoughFailures = 3;
  for (const Open& batch : open_) {
    const bool there = batch.record.stage == BatchStage::submitted && batch.doubt.empty();
    if (there || batch.failures < kEnoughFailures) continue;
    return pause(fmt::format("batch {}: {}", batch.record.number, batch.trouble));
  }
}

void BatchRunner::wait() {
  SteadyTime until = next_report_;
  for (const Open& batch : open_) {
    if (batch.record.stage != BatchStage::written) until = std::min(until, batch.next_at);
  }
  if (settings_.max_duration) until = std::min(until, started_ + *settings_.max_duration);
  if (settings_.give_up_at) {
    const Duration left = *settings_.give_up_at - parts_.clock.wall_now();
    if (left > Duration(0)) {
      until = std::min(until, parts_.clock.now() + left);
    } else {
      for (Open& batch : open_) {
        if (!batch.record.cancel_asked) batch.next_at = parts_.clock.now();
      }
    }
  }
  parts_.client.wait_until(until);
}

std::string BatchRunner::count_open() const {
  return open_.size() == 1 ? "1 batch is" : fmt::format("{} batches are", open_.size());
}

bool BatchRunner::close(Open& batch, BatchStage stage, bool maybe_billed) {
  spending_.budget().settle(batch.record.reserved, std::nullopt, maybe_billed);
  batch.record.reserved = Money();
  // A file that was handed to the user is the user's.
  if (batch.record.stage == BatchStage::written) batch.record.file_path.clear();
  batch.record.stage = stage;
  if (stage == BatchStage::collected) batch.record.collected_at = parts_.clock.wall_now();
  if (!write_updates(&batch.record) || !recount()) return false;
  if (!batch.record.remote_id.empty()) closed_ids_.push_back(batch.record.remote_id);
  closed_keys_.emplace(batch_key(batch.record), stage);
  unlink(batch.record.file_path.c_str());
  remove_results(batch);
  pass_wanted_ = true;
  cost_blocks_ = false;
  // A place in the account's queue may be free now.
  for (Open& other : open_) {
    if (other.record.queue_full) other.next_at = parts_.clock.now();
  }
  return true;
}

/// Items that left the input are answered, too, but are not counted.
bool BatchRunner::recount() {
  const auto counts = parts_.count_states();
  if (!counts) {
    fail(counts.error());
    return false;
  }
  items_ = *counts;
  return true;
}

RunResult BatchRunner::finish() {
  // What is half filled was not sent: its items are pending again in the next run.
  fillings_.clear();
  if (end_ == RunEnding::completed && max_items_reached_) {
    end_ = RunEnding::paused;
    status_.pause_reason =
        fmt::format("--max-items: {} taken up in this run",
                    *settings_.max_items == 1 ? std::string("1 item was")
                                              : group_digits(*settings_.max_items) + " items were");
  }
  refresh_status();
  status_.running = false;
  status_.waiting_for.clear();
  RunResult result{end_, status_, error_, stop_signal_, describe_progress()};
  result.progress.status.reset();
  if (end_ == RunEnding::paused) {
    parts_.monitor.run_paused(status_);
  } else if (!leaves_rest(result)) {
    parts_.monitor.run_finished(status_);
  }
  return result;
}

bool BatchRunner::leaves_rest(const RunResult& result) const {
  const bool ended = result.end == RunEnding::completed ||
                     (!settings_.submit && result.end == RunEnding::in_batches);
  return ended && result.status.items[ItemState::pending] > 0;
}

}  // namespace llmbatch
