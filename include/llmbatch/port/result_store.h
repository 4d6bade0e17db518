// ResultStore: where outcomes become durable. Used by the engine's writer thread alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "llmbatch/base/result.h"
#include "llmbatch/model/item.h"
#include "llmbatch/model/outcome.h"
#include "llmbatch/model/run_status.h"
#include "llmbatch/model/usage_means.h"

namespace llmbatch {

/// One HTTP call that was made for an item.
struct AttemptRecord {
  std::uint32_t number = 1;  ///< from 1, over all runs; 0: no call, but an answer from a cache file
  WallTime started_at{};
  Duration latency{};
  int http_status = 0;
  ErrorClass error = ErrorClass::none;
  std::string error_message;
  std::string error_code;
  std::string request_id;
  std::string model;
  std::string finish_reason;
  std::optional<Usage> usage;
  std::optional<Money> cost;
  std::uint32_t transmissions = 1;
  std::int64_t batch = 0;  ///< provider batch that it came with; 0: a call of its own
  std::string response;    ///< raw body; with an unusual status or transport error whatever came
};

/// An answer that is taken over without a call, for one item or for many.
struct ReusedAnswer {
  /// The attempt that brought it: stored as this one of the database, or, where that is 0, the last
  /// one of item `seq`, which is stored by then.
  std::int64_t attempt_id = 0;
  std::uint64_t seq = 0;
  int http_status = 0;
  std::string output;
  bool output_is_json = false;
  std::string model;
  std::string finish_reason;
  std::string request_id;
  std::optional<Usage> usage;
  std::optional<Money> cost;  ///< what it had cost; absent: unknown
  /// From a shared cache: the attempt itself, number 0, to be stored with the first item that takes
  /// it over. `output` follows from its response.
  std::optional<AttemptRecord> foreign;
};

/// What is to be stored for one item: an attempt, a new state, or both.
struct ItemUpdate {
  // Identity; written when the item has no row yet, or when its content changed.
  std::uint64_t seq = 0;
  std::string id;
  Hash128 id_hash;
  Hash128 request_hash;
  InputPlace place;
  std::string input_text;  ///< empty: not stored

  std::optional<AttemptRecord> attempt;
  /// Instead of an attempt and of output, http_status and the like below; `cached` is then set.
  std::shared_ptr<const ReusedAnswer> reused;

  /// `pending`: another attempt is to come; else final.
  ItemState state = ItemState::pending;
  std::uint32_t attempts = 0;  ///< made so far, over all runs
  ErrorClass error = ErrorClass::none;
  int http_status = 0;
  std::string error_message;
  std::string output;
  bool has_output = false;
  bool output_is_json = false;
  bool cached = false;
  WallTime finished_at{};

  std::size_t size_bytes() const {
    return 512 + id.size() + output.size() + error_message.size() + input_text.size() +
           (attempt ? attempt->response.size() : 0);
  }
};

/// State of the run that is stored with a commit.
struct RunProgress {
  /// Every line below this one is dispatched and final; resuming an unchanged file starts here.
  std::uint64_t done_below_line = 1;
  StateCounts items;
  /// What the job may have cost once this is durable, calls in flight included, see Budget.
  Money cost_ceiling;
  std::string limiter_state;              ///< opaque, see RateLimiter::serialize
  std::optional<UsageMeans> usage_means;  ///< absent: the stored ones stay
  std::optional<RunStatus> status;        ///< refreshed about once a second
};

class ResultStore {
 public:
  virtual ~ResultStore() = default;
  /// Durable when it returns. An error is final: the store takes nothing more.
  virtual Status commit(std::span<const ItemUpdate> updates, const RunProgress& progress) = 0;
};

}  // namespace llmbatch
