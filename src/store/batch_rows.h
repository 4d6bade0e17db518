// Rows of the tables batches and submissions. Thread rule: that of the connection.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connection.h"
#include "llmbatch/model/batch_record.h"

namespace llmbatch {

/// Columns of `batches` in the order that bind_batch() and read_batch() use.
inline constexpr std::string_view kBatchColumns =
    "number, run, stage, remote_state, call_begun_ms, tag, model, url, requests, bytes, first_seq,"
    " last_seq, file_path, input_file, remote_id, remote_total, remote_succeeded, remote_failed,"
    " queue_full, cancel_asked, other_ids, key_hash, reserved_pico, answered, unanswered,"
    " created_ms, submitted_ms, expires_ms, ended_ms, collected_ms, message";
inline constexpr int kBatchColumnCount = 31;

/// Binds every column from parameter 1 on. The record must stay where it is; `other_ids` holds the
/// text of its list meanwhile.
void bind_batch(Statement& statement, const BatchRecord& batch, std::string& other_ids);
BatchRecord read_batch(const Statement& row);
/// All of them, by number.
Result<std::vector<BatchRecord>> read_batches(Connection& connection);

inline constexpr std::string_view kSubmissionColumns =
    "seq, batch, position, tries, own_model, changed, reask, retries, timeouts, malformed,"
    " truncated, rate_limited, request_hash";

Submission read_submission(const Statement& row);

}  // namespace llmbatch
