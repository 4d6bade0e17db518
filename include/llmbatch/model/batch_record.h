// A provider batch as this job knows it, from the first item that is put into it to the last answer
// that is stored; and what is kept of an item on that way. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/clock.h"
#include "llmbatch/base/hash.h"
#include "llmbatch/model/money.h"
#include "llmbatch/model/remote_batch.h"
#include "llmbatch/model/run_status.h"

namespace llmbatch {

/// How far a batch has come. Each stage is durable before the next step begins. Numbers are stored
/// in the database: never renumber.
enum class BatchStage : std::uint8_t {
  collecting = 0,  ///< items are being put into it; nothing was sent
  ready = 1,       ///< its request file is complete
  uploaded = 2,    ///< the provider has the file
  submitted = 3,   ///< the provider has the batch
  collected = 4,   ///< its answers are stored
  discarded = 5,   ///< it never reached the provider, or was forgotten; its items were given back
  written = 6,     ///< its request file was handed to the user, who brings the answers
};

std::string_view to_string(BatchStage stage);
/// True while items are in it.
bool is_open(BatchStage stage);

struct BatchRecord {
  std::int64_t number = 0;  ///< from 1
  std::int64_t run = 0;     ///< that began it; 0: no run
  BatchStage stage = BatchStage::collecting;
  /// Set before the call that leads to the next stage, and durable: that call may have been made.
  std::optional<WallTime> call_begun_at;
  std::string tag;  ///< `llmbatch-` and 16 hex digits
  std::string model;
  std::string url;  ///< of its requests
  std::int64_t requests = 0;
  std::int64_t bytes = 0;
  std::uint64_t first_seq = 0;
  std::uint64_t last_seq = 0;
  std::string file_path;   ///< of its request lines
  std::string input_file;  ///< the provider's id of it
  std::string remote_id;
  RemoteBatchState remote_state = RemoteBatchState::unknown;
  std::optional<RemoteCounts> counts;
  bool queue_full = false;  ///< refused for now: it waits for others to end
  bool cancel_asked = false;
  /// Ids of remote batches that are not this one although they could have been.
  std::vector<std::string> other_ids;
  std::string key_hash;  ///< salted; tells that the key is another one
  Money reserved;        ///< the most that it can cost, with a cost limit
  std::int64_t answered = 0;
  std::int64_t unanswered = 0;
  WallTime created_at{};
  std::optional<WallTime> submitted_at;
  std::optional<WallTime> expires_at;
  std::optional<WallTime> ended_at;
  std::optional<WallTime> collected_at;
  std::string message;  ///< the last thing that went wrong
};

/// What the user is shown of it.
BatchProgress describe_batch(const BatchRecord& record);

/// What its tag and the custom ids of its requests have in common.
std::string_view batch_key(const BatchRecord& batch);
/// `<key>-<seq>`.
std::string make_custom_id(const BatchRecord& batch, std::uint64_t seq);
struct CustomId {
  std::string_view key;
  std::uint64_t seq = 0;
};
/// Absent when it is none of ours.
std::optional<CustomId> parse_custom_id(std::string_view custom_id);

/// An item that is in a batch, or was in one and has no answer yet.
struct Submission {
  std::uint64_t seq = 0;
  std::int64_t batch = 0;     ///< 0: in none at present
  std::int64_t position = 0;  ///< line of the request file, from 1
  std::uint32_t tries = 0;    ///< batches it was in
  bool own_model = false;     ///< names a model of its own
  bool changed = false;       ///< the input has another content by now
  bool reask = false;  ///< the last answer failed its check, and the next question quotes why
  Hash128 request_hash;
  // As in RetryHistory:
  std::uint32_t retries = 0;
  std::uint32_t timeouts = 0;
  std::uint32_t malformed = 0;
  std::uint32_t truncated = 0;
  std::uint32_t rate_limited = 0;
};

}  // namespace llmbatch
