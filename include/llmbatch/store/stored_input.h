// What the database knows of an input and of the job's progress. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "llmbatch/base/clock.h"
#include "llmbatch/model/job.h"
#include "llmbatch/model/line_plan.h"
#include "llmbatch/model/run_status.h"
#include "llmbatch/model/usage.h"
#include "llmbatch/port/line_plan.h"
#include "llmbatch/port/result_store.h"

namespace llmbatch {

/// Sums over every attempt of the job, all runs; exact, because they are stored with each commit.
struct JobTotals {
  std::int64_t attempts = 0;
  std::int64_t retries = 0;    ///< attempts after an item's first
  std::int64_t cached = 0;     ///< items answered without a call
  Usage usage;                 ///< without reported_cost
  Money cost;                  ///< of the attempts with a known cost
  std::int64_t unpriced = 0;   ///< attempts with usage, but without a known cost
  std::int64_t estimated = 0;  ///< attempts whose usage the provider did not report
  /// The cost, and what calls may have cost that were lost with a killed run, see Budget.
  Money cost_ceiling;
  SavedByReuse saved;  ///< what the answers of `cached` items had used and cost
};

/// The input of the last run and where that run stood.
struct StoredInput {
  InputIdentity identity;
  ScanCounts counts;
  bool has_line_map = false;   ///< false: the input was not scanned (a stream)
  bool natural_order = false;  ///< seqs rise with the lines
  std::uint64_t done_below_line = 1;
  StateCounts items;
  /// The last line below done_below_line that was finished since this very input was scanned:
  /// reading may start at its offset. Absent: start at the beginning.
  std::optional<InputPlace> known_place;
};

/// A stored answer that was judged anew, or whose request is another one now.
struct RecheckedItem {
  std::uint64_t seq = 0;
  Hash128 id_hash;
  Hash128 request_hash;
  ItemState before = ItemState::succeeded;
  ItemState state = ItemState::succeeded;
  bool judged = false;  ///< false: only the request hash is written
  ErrorClass error = ErrorClass::none;
  std::string error_message;
  std::string output;
  bool output_is_json = false;
};

using RecheckStream = RecordStream<RecheckedItem>;

/// A stored answer, as far as a new check needs it.
struct StoredAnswer {
  ItemState state = ItemState::pending;
  ErrorClass error = ErrorClass::none;
  int http_status = 0;
  std::int64_t attempt_id = 0;  ///< 0: none, the output is all there is
  std::string output;
  bool accepted = false;  ///< by a reviewer, whatever its check said
};

/// What begin_run() stores.
struct RunStart {
  /// Hash of the base URL where no profile names it; answers are reused within one endpoint.
  std::optional<Hash128> endpoint;
  /// Instead: that of the last run.
  bool same_endpoint = false;
  /// Adopted in the same transaction; null: the stored job stays.
  const JobIdentity* job = nullptr;
  InputIdentity input;
  /// True: the input is unchanged; the stored line map, invalid lines and counts are kept, and the
  /// four members below are not used.
  bool keep_stored_plan = false;
  LineRunStream* plan = nullptr;  ///< null: a stream that cannot be scanned
  InvalidLineStream* invalid_lines = nullptr;
  /// Answers judged anew; read behind the plan. The counts of `progress` are those before it.
  RecheckStream* rechecked = nullptr;
  LineRunStream* repeats = nullptr;  ///< null: no request stands there twice
  ScanCounts counts;
  std::string command;
  std::string version;
  std::int64_t pid = 0;
  WallTime started_at{};
  std::optional<std::int64_t> requests_per_minute;  ///< limits that were set
  std::optional<std::int64_t> tokens_per_minute;
  /// An empty limiter_state keeps the stored one.
  RunProgress progress;
};

/// What finish_run() stores.
struct RunEnd {
  std::string reason;  ///< `finished`, `paused: ...`, `interrupted`, `error: ...`
  int exit_code = 0;
  WallTime finished_at{};
  RunStatus status;
  /// Where the job stands now; absent: as the last commit left it.
  std::optional<RunProgress> progress;
};

}  // namespace llmbatch
