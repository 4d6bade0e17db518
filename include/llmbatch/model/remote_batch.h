// A provider batch as its provider describes it, in one vocabulary for all providers. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/clock.h"
#include "llmbatch/model/http.h"

namespace llmbatch {

/// Numbers are stored in the database: never renumber.
enum class RemoteBatchState : std::uint8_t {
  unknown = 0,     ///< a word that we do not know: not ended, as far as anybody can tell
  validating = 1,  ///< or queued: not a single request was begun
  in_progress = 2,
  finalizing = 3,
  cancelling = 4,
  completed = 5,  ///< which says nothing of its requests: all of them may have failed
  failed = 6,     ///< rejected as a whole
  expired = 7,    ///< with partial results
  cancelled = 8,  ///< with partial results
};

std::string_view to_string(RemoteBatchState state);
/// True when nothing changes any more.
bool has_ended(RemoteBatchState state);

struct RemoteCounts {
  std::int64_t total = 0;
  std::int64_t succeeded = 0;
  std::int64_t failed = 0;  ///< answered with an error, expired and cancelled ones included
};

/// Why a batch was rejected, or a line of it.
struct BatchError {
  std::string code;
  std::string message;
  std::optional<std::int64_t> line;  ///< from 1
};

struct RemoteBatch {
  std::string id;
  RemoteBatchState state = RemoteBatchState::unknown;
  std::string state_word;  ///< the provider's own
  /// Absent: the provider does not tell (yet). All-zero counts of a batch that has not begun are
  /// absent, too.
  std::optional<RemoteCounts> counts;
  std::string tag;         ///< what create() sent along; empty: the provider echoes none
  std::string input_file;  ///< id; empty: none
  /// What BatchApi::download() takes, output before errors. Empty with an ended batch: there are no
  /// results.
  std::vector<std::string> results;
  std::optional<WallTime> created_at;
  std::optional<WallTime> expires_at;
  std::optional<WallTime> ended_at;
  std::vector<BatchError> errors;
  /// With `failed`: the account's queue was full (enqueued tokens); the same file may be submitted
  /// again when other batches have ended.
  bool retry_later = false;
};

struct RemoteFile {
  enum class State : std::uint8_t { ready, processing, rejected };
  std::string id;
  State state = State::ready;
  std::string name;  ///< as it was uploaded
  std::int64_t size_bytes = 0;
  std::string message;  ///< why it was rejected
};

/// One line of a result file.
struct BatchAnswer {
  std::string custom_id;
  /// False: the request was not answered and not billed (expired, cancelled, lost by the provider);
  /// `reason` says why, in one word where the provider has one.
  bool answered = false;
  std::string reason;
  /// What the same request would have been answered in real time: status and body, so that
  /// Provider::parse_response() classifies it as it does there.
  HttpReply reply;
};

}  // namespace llmbatch
