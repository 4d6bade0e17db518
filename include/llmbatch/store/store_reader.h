// StoreReader: the reading side of a job's database. Never blocks the run that writes it, and sees
// what is committed. Streams and indexes it hands out use its connection and must not outlive it.
// Thread rule: one thread at a time; any number of readers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "llmbatch/base/result.h"
#include "llmbatch/model/batch_record.h"
#include "llmbatch/model/item_result.h"
#include "llmbatch/model/job.h"
#include "llmbatch/port/item_index.h"
#include "llmbatch/port/known_answers.h"
#include "llmbatch/port/line_plan.h"
#include "llmbatch/store/answered_item.h"
#include "llmbatch/store/history_reader.h"
#include "llmbatch/store/stored_input.h"

namespace llmbatch {

/// One stored result, with what belongs to it beside the export's own fields.
struct ResultRow {
  ItemResult result;  ///< place.line is that of the last scan; 0: no longer in the input
  Hash128 request_hash;
  std::int64_t attempt_id = 0;  ///< of the last attempt, see StoreReader::response(); 0: none
  bool in_input = true;         ///< false: no longer in the input of the last run
  /// The stored input line; of an invalid line its content, at most 64 KiB.
  std::optional<std::string> input;
};

struct ResultFilter {
  std::vector<ItemState> states;  ///< empty: every final state
  bool removed = true;            ///< also items that are no longer in the input, at the end
};

class StoreReader {
 public:
  /// Fails with ErrorKind::usage when there is no database of ours, ::mismatch when a newer (or a
  /// not yet migrated older) llmbatch wrote it. Works on read-only media where no log is left over.
  static Result<std::unique_ptr<StoreReader>> open(const std::string& path);
  ~StoreReader();

  Result<std::optional<JobIdentity>> job();

  /// For scans. Not to be used any more once begin_run() was called.
  const ItemIndex& index();

  /// The input of the last run; absent when there was none.
  Result<std::optional<StoredInput>> last_input();
  /// The stored line map from `from_line` on, as it was scanned.
  std::unique_ptr<LineRunStream> line_map(std::uint64_t from_line = 1);
  /// The same with the lines that were finished since turned into `done`: what is left to do of an
  /// unchanged input. Holds no transaction open between calls, so it may feed a run.
  std::unique_ptr<LineRunStream> remaining_plan(std::uint64_t from_line);
  /// The lines from `from_line` on whose request an earlier item has (Item::same_as), as they were
  /// scanned; null when there are none.
  Result<std::unique_ptr<LineRunStream>> repeats(std::uint64_t from_line);
  /// The answers of this database that were given at `endpoint` (see RunStart::endpoint).
  std::unique_ptr<KnownAnswers> answers(const std::optional<Hash128>& endpoint);
  /// Of the lines from `from_line` on that were to be run: those that are final now, sorted.
  Result<std::vector<std::uint64_t>> done_lines_from(std::uint64_t from_line);

  /// Attempts made for an item so far, over all runs; 0 when it has no row.
  Result<std::uint32_t> attempts_of(std::uint64_t seq);

  /// The state of an item's row and its attempts; pending and none when it has no row.
  struct ItemProgress {
    ItemState state = ItemState::pending;
    std::uint32_t attempts = 0;
  };
  Result<ItemProgress> progress_of(std::uint64_t seq);

  /// The provider batches of the job, by number.
  Result<std::vector<BatchRecord>> batches();

  /// Absent when the item has no row.
  Result<std::optional<StoredAnswer>> answer_of(std::uint64_t seq);

  /// Opaque state of the rate limiter as of the last commit; empty when there is none.
  Result<std::string> limiter_state();
  /// What the runs of this job learnt of its tokens.
  Result<UsageMeans> usage_means();
  Result<JobTotals> totals();
  /// The snapshot of the last run, at most a second old while it lasts.
  Result<std::optional<RunStatus>> status();
  /// Number of the last run, 0 when there was none.
  Result<std::int64_t> last_run_number();
  /// Items of the last input by state, counted from the rows; those without a row are pending.
  Result<StateCounts> count_states();
  /// Items in a problem state by class of error, commonest first, each with a sample message.
  Result<std::vector<ErrorTally>> error_tally(std::size_t limit);

  /// What the latest answered items used (of one run, or of all), at most `limit`, by seq. Reads
  /// the end of the attempts only, however many there are.
  Result<std::vector<AnsweredItem>> answered_items(std::optional<std::int64_t> run,
                                                   std::int64_t limit);

  /// Calls `visit` for each result in the line order of the last scan, invalid lines in between,
  /// then items that are no longer in the input. Streams: one row in memory. `visit` returns false
  /// to stop. Consistent: sees the database as of the call.
  Status for_each_result(const ResultFilter& filter,
                         const std::function<Result<bool>(const ResultRow&)>& visit);
  /// Rows of the job's past. While it lives, all that is read here is of one moment, and
  /// for_each_result() must not be called.
  Result<HistoryReader> history();
  /// The raw response of an attempt, decompressed; absent when the attempt is unknown.
  Result<std::optional<std::string>> response(std::int64_t attempt_id);

 private:
  struct State;
  explicit StoreReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace llmbatch
