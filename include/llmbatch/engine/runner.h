// Runner: the loop that takes items from the source to their final state. Five steps, in this
// order: interrupts, acknowledged commits, refill, admission, wait and settle. It owns no resource
// of the outside world; everything comes through ports, so that hours of limits and retries run in
// a test on virtual time. Thread rule: one thread; the StoreWriter has the other.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "llmbatch/base/random.h"
#include "llmbatch/engine/repeat_groups.h"
#include "llmbatch/engine/slot.h"
#include "llmbatch/engine/spending.h"
#include "llmbatch/engine/store_writer.h"
#include "llmbatch/policy/concurrency.h"
#include "llmbatch/policy/rate_limiter.h"
#include "llmbatch/policy/retry_policy.h"
#include "llmbatch/policy/run_stats.h"
#include "llmbatch/policy/scheduler.h"
#include "llmbatch/policy/token_estimate.h"
#include "llmbatch/port/answer_check.h"
#include "llmbatch/port/interrupts.h"
#include "llmbatch/port/item_source.h"
#include "llmbatch/port/known_answers.h"
#include "llmbatch/port/monitor.h"
#include "llmbatch/port/provider.h"
#include "llmbatch/port/token_counter.h"
#include "llmbatch/port/transport.h"

namespace llmbatch {

struct RunnerSettings {
  RateLimits limits;
  RetrySettings retries;
  std::optional<std::int64_t> concurrency;  ///< absent: auto
  std::int64_t max_concurrency = 256;
  double max_error_rate = 0.05;  ///< 1: off
  bool pause_on_error_rate = true;
  Duration drain_timeout = std::chrono::seconds(30);
  bool reask = true;  ///< an answer that fails its check is quoted to the model with the reason
  bool warm_prompt_cache = false;  ///< one call alone until the first is answered
  std::uint64_t random_seed = 0;
  std::string limiter_state;  ///< of the last run; empty: none
  SpendingSettings spending;
  std::optional<std::int64_t> max_items;  ///< taken up in this run
  std::optional<Duration> max_duration;
  UsageMeans usage_means;  ///< what earlier runs learnt
  /// Counts the input of requests; null: the estimate that needs no vocabulary.
  const TokenCounter* token_counter = nullptr;
};

struct RunnerParts {
  const Clock& clock;
  ItemSource& source;
  const Provider& provider;
  Transport& transport;
  ResultStore& store;
  Monitor& monitor;
  Interrupts& interrupts;
  const AnswerCheck* answer_check = nullptr;  ///< null: every answer is good
  KnownAnswers* answers = nullptr;  ///< null: every item is called for, also the identical ones
};

enum class RunEnding : std::uint8_t {
  completed,
  paused,
  interrupted,
  failed,
  in_batches,  ///< provider batches are still in progress
};

struct RunResult {
  RunEnding end = RunEnding::completed;
  RunStatus status;            ///< the last one
  std::optional<Error> error;  ///< for failed
  int stop_signal = 0;         ///< for interrupted
  RunProgress progress;        ///< to be stored with the end of the run
};

/// What happened to everything that was taken up; checked at the end of every run.
struct RunCounters {
  std::int64_t pulled = 0;    ///< items taken from the source
  std::int64_t calls = 0;     ///< started
  std::int64_t answered = 0;  ///< calls that came back, however
  std::int64_t finished = 0;  ///< items with a durable final state
  std::int64_t released = 0;  ///< items given back as pending at the end
  // The same items by what was done for them:
  std::int64_t queued = 0;  ///< to be called for
  std::int64_t reused = 0;  ///< answered without a call
  std::int64_t waited = 0;  ///< given back before they were called for
};

class Runner {
 public:
  /// `status` carries what is known before the run: names, counts of the input, earlier attempts.
  Runner(RunnerParts parts, RunnerSettings settings, RunStatus status);

  RunResult run();
  const RunCounters& counters() const { return counters_; }

 private:
  static constexpr Duration kStatusRowInterval = std::chrono::seconds(1);
  enum class Phase : std::uint8_t { running, draining, aborting };

  bool step();
  void check_interrupts(SteadyTime now);
  void collect_commits(SteadyTime now);
  void refill();
  SteadyTime admit(SteadyTime now);
  void wait_and_settle(SteadyTime deadline);

  bool may_start(SteadyTime now, SteadyTime& deadline);
  bool cost_allows(Slot& slot, SteadyTime now);
  bool enough_items(SlotNumber next);
  void check_duration(SteadyTime now);
  void pause_after_max_items();
  std::optional<SteadyTime> limiter_wait(Slot& slot, SteadyTime now);
  TokenCount counted_input(Slot& slot) const;
  TokenReservation expected_use(Slot& slot) const;
  void learn_usage(Slot& slot, const Usage& usage);
  void start(SlotNumber number, SteadyTime now);
  void settle(TransportCompletion& completion, SteadyTime now);
  void prepare_reask(Slot& slot, const Outcome& outcome) const;
  void apply_limits(Slot& slot, const Outcome& outcome, SteadyTime now);
  void follow(SlotNumber number, const Outcome& outcome, AttemptRecord attempt, SteadyTime now);
  void finish_unsent(SlotNumber number, ErrorClass error, std::string message);
  void push_update(SlotNumber number, ItemUpdate update);
  bool needs_no_call(SlotNumber number);
  void take_over(SlotNumber number, std::shared_ptr<const ReusedAnswer> answer);
  std::shared_ptr<const ReusedAnswer> shared_answer(const Item& item);
  void settle_followers(SlotNumber number);
  void call_for_next(SlotNumber failed);
  void enqueue(SlotNumber number);
  bool may_pull();
  void on_durable(SlotNumber number, SteadyTime now);
  void finish_item(Slot& slot, SteadyTime now);
  void guard_error_rate();

  void pause(std::string reason);
  std::string count_calls() const;
  void fail(Error error);
  void stop_starting(Phase phase);
  void release_waiting();
  void give_back(SlotNumber number);
  void release(SlotNumber number);
  std::size_t unfinished_calls() const;
  bool limiter_state_is_fresh(SteadyTime now) const;
  void store_progress(SteadyTime now);
  std::int64_t calls_in_advance();
  std::optional<std::string_view> never_fits(Slot& slot, SteadyTime now);
  RunProgress describe_progress(SteadyTime now, std::int64_t unknown_calls);
  void report_progress(SteadyTime now);
  void refresh_status(SteadyTime now);
  std::uint64_t done_below_line() const;
  RunResult finish();

  RunnerParts parts_;
  RunnerSettings settings_;
  RunStatus status_;
  StateCounts items_;  ///< durable states of the current input
  RunCounters counters_;
  Random random_;

  RateLimiter limiter_;
  ConcurrencyLimit concurrency_;
  RetryPolicy retry_policy_;
  TokenEstimate estimate_;
  Spending spending_;
  RunStats stats_;
  Scheduler scheduler_;
  SlotPool slots_;
  RepeatGroups groups_;
  bool reuses_;  ///< identical requests may come
  StoreWriter writer_;

  Phase phase_ = Phase::running;
  RunEnding end_ = RunEnding::completed;
  std::optional<Error> error_;
  int stop_signal_ = 0;
  bool source_ended_ = false;
  bool max_items_reached_ = false;
  bool error_rate_warned_ = false;
  SteadyTime started_;
  SteadyTime drain_deadline_ = SteadyTime::max();
  SteadyTime next_report_;
  SteadyTime next_status_row_;
  SteadyTime progress_set_{};       ///< when the state was last handed to the writer
  SteadyTime progress_stamp_{};     ///< of that state
  SteadyTime progress_durable_{};   ///< stamp of the newest durable state
  Duration commit_latency_{};       ///< smoothed, of the state's way to the disk
  std::int64_t other_answers_ = 0;  ///< answers that were no rate-limit refusal
  std::uint64_t lowest_given_back_ = ~std::uint64_t{0};  ///< line of an item that stays pending
  std::size_t calls_in_flight_ = 0;
  int warm_up_calls_left_ = 0;  ///< 0: the prompt cache is warm, or not waited for
  /// A state that was handed to the writer: up to how many calls it allows for in the day's count.
  struct HandedOver {
    SteadyTime stamp{};
    std::int64_t calls_allowed = 0;
  };
  std::deque<HandedOver> handed_over_;  ///< not durable yet
  HandedOver durable_;
  std::int64_t calls_stored_ = 0;      ///< counters_.calls as of the last state handed over
  std::size_t committing_ = 0;         ///< answers of calls
  std::size_t committing_reused_ = 0;  ///< answers that were taken over
  std::vector<TransportCompletion> completions_;
  StoreWriter::Collected collected_;
};

}  // namespace llmbatch
