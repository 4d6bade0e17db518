// BatchRunner: takes items to their final state through the provider's Batch API. One loop, one
// thread: look after the batches that are due, fill the next one, wait. Every step is durable
// before it is taken (BatchStage), so that whatever ends the process, the next run finds what the
// provider has and sends nothing twice. Thread rule: one thread, that of the journal.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "llmbatch/base/random.h"
#include "llmbatch/engine/batch_runner_parts.h"
#include "llmbatch/engine/runner.h"
#include "llmbatch/engine/spending.h"
#include "llmbatch/policy/retry_policy.h"
#include "llmbatch/policy/run_stats.h"

namespace llmbatch {

class BatchRunner {
 public:
  /// Batches that an item may be in before it counts as failed.
  static constexpr std::uint32_t kMaxTries = 3;

  BatchRunner(BatchRunnerParts parts, BatchRunnerSettings settings, RunStatus status);
  ~BatchRunner();

  /// RunEnding::completed: no batch is open; what is still pending was not to be submitted.
  RunResult run();

  // Of these, each ends like a run: RunEnding::completed when all was done as asked.

  /// Asks the provider to end these open batches, and does not wait for it. What was not submitted
  /// is given up; where that is uncertain, it is looked for first.
  RunResult cancel(std::span<const std::int64_t> numbers);
  /// Gives the items of these open batches back, whatever the provider has done of them.
  RunResult forget(std::span<const std::int64_t> numbers);
  /// Takes the answers of result files into the job. Every line is checked before the first is
  /// stored; a line that cannot be used is a usage error.
  RunResult read(std::span<const ResultFile> files, ReadLines& lines);

  /// True when what is pending is to be called for now; the monitor was not told of an end then.
  bool leaves_rest(const RunResult& result) const;

 private:
  /// A batch on its way, with what need not outlive the process.
  struct Open {
    BatchRecord record;
    SteadyTime next_at{};
    Duration interval{};      ///< between looks, while nothing changes
    int failures = 0;         ///< of calls, in a row
    std::string trouble;      ///< what failed last
    std::string doubt;        ///< why its results cannot be all that there is; empty: they can
    bool unreadable = false;  ///< and fetching them again will not mend it
    int misses = 0;           ///< looks for a lost upload or batch that found nothing
    bool looked_at = false;
    bool other_key = false;  ///< than the one that it was sent with
    bool file_ready = false;
    bool download_repeated = false;
    RemoteBatch remote;
  };
  /// A batch that is being filled.
  struct Filling;
  /// What an error reply or a lost connection means for the step that was tried.
  enum class Trouble : std::uint8_t {
    none,
    not_sent,   ///< or refused for now: the step may be tried again
    uncertain,  ///< the provider may have done it
    refused,    ///< it has not, and will not
    gone,       ///< 404
    fatal,      ///< key, billing: the run pauses
    aborted,
  };
  struct Verdict {
    Trouble trouble = Trouble::none;
    std::string message;
    std::optional<Duration> hint;
  };

  // The loop: batch_runner.cc
  bool step();
  bool look_after_due();
  bool check_stop();
  void end_interrupted();
  bool everything_is_left_running() const;
  void wait();
  RunResult finish();
  void pause(std::string reason);
  void fail(Error error);
  /// True when it holds; else the run has failed.
  template <typename T>
  bool check(const Result<T>& result) {
    if (!result) fail(result.error());
    return result.has_value();
  }
  /// Stores the last of the batch and that it is done, and removes its files.
  bool close(Open& batch, BatchStage stage, bool maybe_billed = false);
  bool recount();
  void cancel_open();
  /// Carries `task` out for open batches, by number.
  void for_each_open(std::span<const std::int64_t> numbers, const std::function<void(Open&)>& task);
  bool cancel(Open& batch);
  void pause_for_failures();
  bool gives_up() const;
  std::string count_open() const;

  // What earlier runs left: batch_load.cc
  Status load();
  Status refuse_other_account(const Open& batch) const;
  bool is_elsewhere(const BatchRecord& record) const;
  void mark_changed();
  void discard_stale(const std::unordered_set<std::int64_t>& stale);

  // Steps of one batch: batch_steps.cc; what is looked for: batch_search.cc
  void advance(Open& batch);
  void upload(Open& batch);
  void find_file(Open& batch);
  void await_file(Open& batch);
  void create(Open& batch);
  void find_batch(Open& batch);
  void poll(Open& batch);
  void hold(Open& batch, const std::string& what, int looks);
  bool matches(const Open& batch, const RemoteBatch& remote) const;
  void adopt(Open& batch, const RemoteBatch& remote, bool certain = true);
  void adopt_found(Open& batch, const RemoteBatch& remote);
  void note_remote(Open& batch, const RemoteBatch& remote);
  bool begin_call(Open& batch);
  void nothing_was_sent(Open& batch);
  void missed(Open& batch, const char* what);
  HttpReply send(const ApiRequest& request);
  static Trouble trouble_of(ErrorClass error, int status);
  Verdict judge(const HttpReply& reply) const;
  /// Takes care of whatever is not `none` and `gone`; false then.
  bool carry_on(Open& batch, const Verdict& verdict, std::string_view what);
  void later(Open& batch, const Verdict& verdict, std::string_view what);
  void not_understood(Open& batch, const Error& error, std::string_view what);
  void detach(Open& batch);
  void set_queue_full(Open& batch, std::string message);
  BatchDraft draft_of(const BatchRecord& record) const;
  bool write_record(const BatchRecord& record);
  bool is_taken(const Open& batch, const std::string& remote_id) const;

  // Filling: batch_fill.cc
  bool may_fill() const;
  void fill();
  bool next_item(Item& item);
  void add(Item& item);
  bool needs_no_batch(const Item& item, const std::optional<Submission>& before);
  std::uint64_t asked_for(const Item& item);
  bool take_known_answer(const Item& item, std::uint64_t asked);
  bool is_awaited_elsewhere(const Item& item, std::uint64_t asked);
  bool make_request(const Item& item, const std::optional<Submission>& before, Request& request);
  Filling* filling_for(const Request& request);
  bool open_file(Filling& filling);
  std::string spool_path(const BatchRecord& record) const;
  std::string written_path(const BatchRecord& record) const;
  bool hand_over(Filling& filling);
  bool has_room(const Filling& filling, std::size_t line_bytes, const Request& request) const;
  bool reserve(const Item& item, const Request& request, Filling& filling);
  void put(Filling& filling, const Item& item, const Request& request, std::size_t line_bytes,
           const std::optional<Submission>& before);
  bool write_piece(Filling& filling);
  bool seal(Filling& filling);
  void seal_all();
  void finish_unsent(const Item& item, ErrorClass error, std::string message);
  void take_over(const Item& item, std::shared_ptr<const ReusedAnswer> answer);

  // Answers: batch_collect.cc
  void collect(Open& batch);
  bool download_results(Open& batch);
  bool may_repeat_download(Open& batch);
  void remove_results(const Open& batch) const;
  void hold_results(Open& batch);
  struct Found;
  bool verify_file_of(Open& batch, std::size_t index, Found& found);
  bool verify_results(Open& batch);
  bool apply_results(Open& batch);
  bool apply_file(const std::string& path, bool skip_unreadable, ReadLines& lines);
  bool apply_line(const BatchAnswer& answer, ReadLines& lines);
  Result<BatchAnswer> parse_answer(std::string_view line) const;
  Open* batch_of(std::string_view key);
  void count_stray(const BatchAnswer& answer, ReadLines& lines) const;
  bool answered(Open& batch, const BatchAnswer& answer, Submission submission);
  void settle_outcome(const Outcome& outcome, Submission submission, ItemUpdate update);
  void describe_rejection(Open& batch);
  bool fail_bad_lines(Open& batch);
  bool give_back_rest(Open& batch, bool count_try);
  void give_back(Submission submission, const StoredItem& item, bool count_try);
  void discard(Open& batch, std::string message);
  /// Stores the piece at hand; `record` may be null.
  bool write_updates(const BatchRecord* record);
  bool write_updates_if_full(const BatchRecord* record);
  void forget_foreign(Open& batch, Open* owner);
  std::string result_path(const Open& batch, std::size_t index) const;
  void finish_item(ItemUpdate update, ItemState before);
  void guard_error_rate();

  // Batches on demand: batch_commands.cc
  bool cancel_now(Open& batch);
  bool find_out(Open& batch);
  bool verify_file(const ResultFile& file);
  Status verify_line(std::string_view line);
  bool conclude_batch(Open& batch, ReadLines& lines);

  // What is told: batch_status.cc
  RunProgress describe_progress();
  void refresh_status();
  void report(bool force);
  void tell(const std::string& text) { parts_.monitor.message(text); }

  BatchRunnerParts parts_;
  BatchRunnerSettings settings_;
  RunStatus status_;
  StateCounts items_;
  Random random_;
  RetryPolicy retry_policy_;
  Spending spending_;
  RunStats stats_;
  std::deque<Open> open_;
  std::vector<std::string> closed_ids_;  ///< remote ids of batches that are done
  std::unordered_map<std::string, BatchStage> closed_keys_;  ///< of the same batches
  std::vector<std::unique_ptr<Filling>> fillings_;
  std::unique_ptr<ItemSource> source_;
  std::optional<Item> ahead_;  ///< taken from the source, and no room for it yet
  bool pass_wanted_ = true;    ///< items may be pending that no pass has seen
  std::int64_t taken_up_ = 0;
  bool max_items_reached_ = false;
  bool cost_blocks_ = false;  ///< the next item waits for the cost of what is open
  bool deferred_ = false;     ///< items of this pass wait for the next one
  /// Of the last item of this pass with a request: which one is asked, where it is another one.
  std::unordered_map<std::uint64_t, std::uint64_t> asked_;
  /// Request hash and seq of what earlier runs put into batches that are open; sorted.
  std::vector<std::pair<Hash128, std::uint64_t>> asked_before_;
  // One piece of answers, not written yet:
  std::vector<ItemUpdate> updates_;
  std::vector<Submission> submissions_;
  std::unordered_set<std::uint64_t> touched_;  ///< seqs in this piece
  std::string unanswered_reason_;
  std::int64_t outdated_ = 0;  ///< answers of the batch at hand to what lines were before

  RunEnding end_ = RunEnding::completed;
  bool ended_ = false;
  std::optional<Error> error_;
  std::string pause_wanted_;  ///< once the batch at hand is stored
  bool error_rate_warned_ = false;
  int stop_signal_ = 0;
  std::optional<SteadyTime> stop_asked_at_;
  std::uint64_t last_line_ = 1;  ///< behind the last pass
  SteadyTime started_;
  SteadyTime next_report_{};
};

}  // namespace llmbatch
