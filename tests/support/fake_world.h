// The outside world of a Runner on virtual time: a scripted provider endpoint, a store in memory, a
// source that counts, interrupts at a planned time. The clock jumps from event to event.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "llmbatch/port/interrupts.h"
#include "llmbatch/port/item_source.h"
#include "llmbatch/port/monitor.h"
#include "llmbatch/port/provider.h"
#include "llmbatch/port/result_store.h"
#include "llmbatch/port/transport.h"
#include "support/fake_clock.h"

namespace llmbatch {

/// What the writer thread gets to store a state that comes without an answer.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::chrono::microseconds kPatience{2000};
#else
inline constexpr std::chrono::microseconds kPatience{200};
#endif

/// What the endpoint does with one call.
struct ScriptedAnswer {
  ErrorClass error = ErrorClass::none;
  Duration latency = std::chrono::milliseconds(500);
  std::optional<Duration> retry_after = {};
  Usage usage = {.input = 100, .output = 20};
  RateLimitHints limits = {};
  std::string message = {};
  std::string output = "answer";
  bool usage_with_error = false;
};

/// Decides an answer from the item's number and how often it was called before.
using Script = std::function<ScriptedAnswer(std::uint64_t item, int call, SteadyTime now)>;

class FakeStore final : public ResultStore {
 public:
  Status commit(std::span<const ItemUpdate> updates, const RunProgress& progress) override {
    if (fail_after && static_cast<int>(rows.size()) >= *fail_after) {
      failed = true;
      return failure("disk full: could not write fake.db");
    }
    const std::lock_guard lock(mutex_);
    for (const ItemUpdate& update : updates) {
      if (update.attempt) ++attempts;
      if (is_final(update.state)) answers_[update.seq] = update;
      rows.push_back(update);
      if (is_final(update.state)) ++final_count[update.seq];
    }
    last_progress = progress;
    ++commits;
    return {};
  }
  std::atomic<int> attempts = 0;
  std::atomic<int> commits = 0;
  std::atomic<bool> failed = false;
  // Read by the test after the run only.
  std::vector<ItemUpdate> rows;
  std::map<std::uint64_t, int> final_count;
  RunProgress last_progress;
  std::optional<int> fail_after;

  /// The final update of an item, as far as it is committed. From any thread.
  std::optional<ItemUpdate> committed(std::uint64_t seq) const {
    const std::lock_guard lock(mutex_);
    const auto found = answers_.find(seq);
    return found == answers_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, ItemUpdate> answers_;
};

class FakeEndpoint final : public Transport, public Provider {
 public:
  FakeEndpoint(FakeClock& clock, FakeStore& store, Script script)
      : clock_(clock), store_(store), script_(std::move(script)) {}

  // Transport
  Status start(CallId id, std::string_view, std::string_view body) override {
    const std::uint64_t item =
        std::stoull(std::string(body.substr(body.find_first_of("0123456789"))));
    started_.push_back(clock_.now());
    bodies.emplace_back(body);
    const ScriptedAnswer answer = script_(item, calls_[item]++, clock_.now());
    answers_.push_back(answer);
    pending_.push({clock_.now() + answer.latency, id, answers_.size() - 1});
    return {};
  }
  void wait(SteadyTime deadline, std::vector<TransportCompletion>& completions) override {
    if (woken_within(kPatience)) return;
    SteadyTime until = deadline;
    if (!pending_.empty()) until = std::min(until, pending_.top().due);
    if (next_event_ && *next_event_ > clock_.now()) until = std::min(until, *next_event_);
    clock_.advance_to(until);
    while (!pending_.empty() && (pending_.top().due <= clock_.now() || aborted_)) {
      const Pending call = pending_.top();
      pending_.pop();
      HttpReply reply;
      reply.error = aborted_ ? TransportError::aborted : TransportError::none;
      reply.status = static_cast<int>(call.answer);
      reply.body = "raw " + std::to_string(call.answer);
      completions.push_back({call.id, std::move(reply)});
      ++delivered_;
    }
    aborted_ = false;
  }
  void wake() override {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    ++wakes_;
    changed_.notify_one();
  }
  void watch(int) override {}
  void abort_all() override { aborted_ = true; }
  std::size_t in_flight() const override { return pending_.size(); }

  // Provider
  Status build_request(const LineFields&, Request&) const override { return {}; }
  bool has_own_model(const LineFields&) const override { return false; }
  void redact(std::string&) const override {}
  bool build_reask(const Request& first, const Completion& answer, std::string_view violation,
                   Request& request) const override {
    request.body = first.body + " " + answer.output + " " + std::string(violation);
    return can_reask;
  }
  Hash128 request_hash(const Request& request) const override { return hash128(request.body); }
  std::vector<std::string> request_headers() const override { return {}; }
  Outcome parse_response(const HttpReply& reply) const override {
    Outcome outcome;
    if (reply.error == TransportError::aborted) {
      outcome.error = ErrorClass::interrupted;
      return outcome;
    }
    const ScriptedAnswer answer = answer_of(reply.status);
    outcome.error = answer.error;
    outcome.http_status = answer.error == ErrorClass::none ? 200 : 500;
    outcome.retry_after = answer.retry_after;
    outcome.limits = answer.limits;
    outcome.message = answer.message;
    if (answer.error == ErrorClass::timeout) outcome.http_status = 0;
    if (answer.error == ErrorClass::none || answer.usage_with_error) {
      outcome.completion.output = answer.output;
      outcome.completion.usage = answer.usage;
      outcome.completion.has_usage = true;
    }
    return outcome;
  }

  /// Statuses of replies that no call of this endpoint brought: those of a cache.
  static constexpr int kForeignGood = -1;
  static constexpr int kForeignTruncated = -2;

  /// wait() also stops at this time.
  void set_next_event(SteadyTime time) { next_event_ = time; }
  const std::vector<SteadyTime>& started() const { return started_; }
  int calls_of(std::uint64_t item) { return calls_[item]; }
  std::vector<std::string> bodies;  ///< of every call
  bool can_reask = true;

 private:
  ScriptedAnswer answer_of(int status) const {
    if (status >= 0) return answers_[static_cast<std::size_t>(status)];
    return {.error = status == kForeignGood ? ErrorClass::none : ErrorClass::truncated};
  }

  struct Pending {
    SteadyTime due;
    CallId id;
    std::size_t answer;
    bool operator>(const Pending& other) const { return due > other.due; }
  };
  /// Virtual time stands still while the writer thread has answers to commit. A state alone may be
  /// committed too, of which nothing is known here: a moment of patience lets it through.
  bool woken_within(std::chrono::microseconds patience) {
    std::unique_lock lock(mutex_);
    const auto settled = [this] {
      return store_.failed || (store_.attempts >= delivered_ && wakes_ >= store_.commits);
    };
    while (!settled()) changed_.wait_for(lock, std::chrono::milliseconds(1));
    if (!woken_) changed_.wait_for(lock, patience, [this] { return woken_; });
    return std::exchange(woken_, false);
  }

  FakeClock& clock_;
  FakeStore& store_;
  Script script_;
  std::vector<SteadyTime> started_;
  std::vector<ScriptedAnswer> answers_;
  std::map<std::uint64_t, int> calls_;
  std::priority_queue<Pending, std::vector<Pending>, std::greater<>> pending_;
  std::optional<SteadyTime> next_event_;
  bool aborted_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  int wakes_ = 0;
  int delivered_ = 0;
};

class CountingSource final : public ItemSource {
 public:
  explicit CountingSource(std::uint64_t count, std::size_t body_bytes = 0)
      : count_(count), padding_(body_bytes, ' ') {}
  /// What stands before and after the number of the item in each body.
  void set_frame(std::string before, std::string after) {
    before_ = std::move(before);
    padding_ = std::move(after);
  }
  Result<bool> next(Item& item) override {
    if (next_ >= count_) return false;
    item.seq = next_;
    item.id = "t-" + std::to_string(next_);
    item.place.line = next_ + 1;
    item.attempts = 0;
    item.request.body = before_ + std::to_string(next_) + padding_;
    item.request.output_cap = output_cap;
    ++next_;
    return true;
  }
  std::uint64_t next_line() const override { return next_ + 1; }
  TokenCount output_cap = 0;

 private:
  std::uint64_t count_;
  std::string before_;
  std::string padding_;
  std::uint64_t next_ = 0;
};

class PlannedInterrupts final : public Interrupts {
 public:
  explicit PlannedInterrupts(const FakeClock& clock) : clock_(clock) {}
  void stop_at(SteadyTime time) { stops_.push_back(time); }
  InterruptState poll() override {
    InterruptState state;
    for (const SteadyTime time : stops_) state.stop_requests += time <= clock_.now() ? 1 : 0;
    if (state.stop_requests > 0) state.stop_signal = 2;
    return state;
  }
  int fd() const override { return -1; }

 private:
  const FakeClock& clock_;
  std::vector<SteadyTime> stops_;
};

class RecordingMonitor final : public Monitor {
 public:
  void run_started(const RunStatus&) override {}
  void progress(const RunStatus& status) override { waits.insert(status.waiting_for); }
  bool wants_items() const override { return false; }
  void item_finished(const ItemResult&) override {}
  void message(std::string_view text) override { messages.emplace_back(text); }
  void status_line(const RunStatus&) override {}
  void window_changed() override {}
  void run_paused(const RunStatus& status) override { pause_reason = status.pause_reason; }
  void run_finished(const RunStatus&) override {}
  std::vector<std::string> messages;
  std::set<std::string> waits;
  std::string pause_reason;
};

}  // namespace llmbatch
