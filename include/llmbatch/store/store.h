// Store: the writing side of a job's SQLite database, held by at most one process (an OS lock). WAL
// and synchronous=FULL: what commit() returned is safe from kill -9 and power loss.
// src/store/schema.cc documents the tables. Reading is StoreReader's part, on its own connection.
// Thread rule: one thread at a time; a run hands it to the writer thread after begin_run() and
// takes it back before finish_run().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "llmbatch/base/clock.h"
#include "llmbatch/base/result.h"
#include "llmbatch/model/job.h"
#include "llmbatch/port/batch_journal.h"
#include "llmbatch/port/result_store.h"
#include "llmbatch/store/stored_input.h"

namespace llmbatch {

/// What apply_decisions() did.
struct AppliedDecisions {
  std::int64_t requeued = 0;  ///< pending now: the next run takes them up
  std::int64_t accepted = 0;  ///< succeeded now, with the answer they had
  std::int64_t lapsed = 0;    ///< the answer they were about is no longer there
};

class Store final : public ResultStore {
 public:
  /// Opens or creates (mode 0600) the database and takes its lock; `command` and `now` are what a
  /// second process is told of us. An older schema is migrated in one transaction. Fails with
  /// ErrorKind::in_use (held by another process), ::mismatch (newer schema; the file is not
  /// changed) or ::usage (not a database of ours, not writable).
  static Result<std::unique_ptr<Store>> open(const std::string& path, const std::string& command,
                                             WallTime now);
  ~Store() override;

  /// Absent in a new database.
  Result<std::optional<JobIdentity>> job() const;
  /// Stores or replaces the job.
  Status set_job(const JobIdentity& job);

  /// In one transaction: replaces line map and invalid lines (or keeps them), takes items of kind
  /// todo_again back to pending, and records the run. Returns its number, from 1.
  Result<std::int64_t> begin_run(const RunStart& start);

  /// Carries out what reviewers decided about problem items (table verdicts). Not during a run.
  Result<AppliedDecisions> apply_decisions();

  /// Durable when it returns. Every attempt's raw response is stored as it came. The first error is
  /// final: it is returned from then on, and nothing more is written.
  Status commit(std::span<const ItemUpdate> updates, const RunProgress& progress) override;

  /// Stores a line that a stream brought and that cannot be used.
  Status add_invalid_line(const InvalidLine& line);

  /// Refreshes the status row between commits.
  Status update_status(const RunStatus& status);

  /// The provider batches of the job; must not outlive the store.
  std::unique_ptr<BatchJournal> batch_journal();

  /// Sums of the job, this run's commits included.
  const JobTotals& totals() const;

  Status finish_run(const RunEnd& end);

  const std::string& path() const;

 private:
  struct State;
  friend class StoredBatches;
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace llmbatch
