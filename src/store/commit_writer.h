// CommitWriter: the prepared statements of a commit. Works within its caller's transaction.
// Thread rule: that of its connection.
#pragma once

#include <cstdint>
#include <span>

#include "connection.h"
#include "item_log.h"
#include "llmbatch/port/result_store.h"
#include "llmbatch/store/stored_input.h"
#include "response_codec.h"

namespace llmbatch {

class CommitWriter {
 public:
  /// Reads the totals that later commits add to.
  Status open(Connection& connection);

  void set_run(std::int64_t number) { run_ = number; }
  const JobTotals& totals() const { return totals_; }
  ItemLogWriter& log() { return *log_; }

  Status write_items(std::span<const ItemUpdate> updates);
  /// From now on items may have submissions, which end with them.
  void expect_submissions() { has_submissions_ = true; }
  /// An empty limiter state keeps the stored one.
  Status write_progress(const RunProgress& progress);
  Status write_status(const RunStatus& status);

 private:
  Result<std::int64_t> insert_attempt(std::uint64_t seq, const AttemptRecord& attempt);
  Status upsert_item(const ItemUpdate& update, std::int64_t attempt_id);
  void count(const ItemUpdate& update);

  Connection* connection_ = nullptr;
  std::int64_t run_ = 0;
  JobTotals totals_;
  Statement insert_attempt_;
  Statement upsert_item_;
  Statement update_progress_;
  Statement replace_status_;
  Statement end_submission_;
  bool has_submissions_ = false;
  std::optional<ItemLogWriter> log_;
  IndexRecordPacker records_;
  ResponseEncoder encoder_;
};

}  // namespace llmbatch
