// JobTally: adds up a job's attempts and items for the report. Memory does not grow with their
// number. Thread rule: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "llmbatch/model/job_history.h"
#include "llmbatch/report/activity_log.h"
#include "llmbatch/report/latency_counts.h"

namespace llmbatch {

struct MessageCount {
  std::string text;        ///< as it came, cut to a few hundred bytes
  std::int64_t count = 0;  ///< 0: not counted
};

struct ErrorClassTally {
  ErrorClass error = ErrorClass::none;
  std::int64_t attempts = 0;           ///< calls that ended so
  std::int64_t items = 0;              ///< items that ended so
  std::vector<MessageCount> messages;  ///< commonest first; alike ones counted together
};

struct ModelTally {
  std::string name;  ///< as it calls itself; empty: none answered
  std::int64_t attempts = 0;
  Usage usage;
  Money cost;
  std::int64_t priced = 0;    ///< attempts with a known cost
  std::int64_t unpriced = 0;  ///< attempts with usage, but without a known cost
};

struct RunTally {
  std::int64_t run = 0;
  std::int64_t attempts = 0;
  std::int64_t errors = 0;
  std::int64_t calls = 0;     ///< of the attempts
  std::int64_t first_ms = 0;  ///< of the calls
  std::int64_t last_ms = 0;
  Money cost;
  std::int64_t unpriced = 0;
};

class JobTally {
 public:
  /// Items by calls made for them: none, 1, 2, ... and the last place for all above.
  static constexpr std::size_t kAttemptPlaces = 8;
  static constexpr std::size_t kKeptRuns = 30;

  void add_attempt(const AttemptFacts& attempt);
  void add_item(const ItemFacts& item);
  /// To be called once, when all is added.
  void finish();

  const ActivityLog& activity() const { return activity_; }
  /// Of calls that brought an answer.
  const LatencyCounts& latency() const { return latency_; }
  /// Commonest first, by attempts.
  std::vector<ErrorClassTally> errors() const;
  /// Most calls first. Beyond a few dozen names the rest is one entry, `(others)`.
  std::vector<ModelTally> models() const;
  /// Sums over all models.
  const ModelTally& total() const { return total_; }
  /// Of these what came with provider batches.
  const ModelTally& in_batches() const { return in_batches_; }
  std::int64_t retries() const { return retries_; }
  std::int64_t cached_items() const { return cached_items_; }
  const std::array<std::int64_t, kAttemptPlaces>& items_by_attempts() const {
    return items_by_attempts_;
  }
  /// The last runs that made calls.
  const std::vector<RunTally>& runs() const { return runs_; }
  /// Time between the first and the last call of each run, all runs together; batches work without
  /// us.
  std::int64_t active_ms() const { return active_ms_; }
  std::optional<std::int64_t> first_ms() const { return first_ms_; }
  std::optional<std::int64_t> last_ms() const { return last_ms_; }

 private:
  void count_error(const AttemptFacts& attempt);
  void count_model(const AttemptFacts& attempt);
  void count_run(const AttemptFacts& attempt);

  struct Messages {
    std::int64_t attempts = 0;
    std::int64_t items = 0;
    std::map<std::string, MessageCount, std::less<>> by_shape;
  };

  ActivityLog activity_;
  LatencyCounts latency_;
  std::map<ErrorClass, Messages> errors_;
  std::map<std::string, ModelTally, std::less<>> models_;
  ModelTally total_;
  ModelTally in_batches_;
  std::int64_t retries_ = 0;
  std::int64_t cached_items_ = 0;
  std::array<std::int64_t, kAttemptPlaces> items_by_attempts_{};
  std::vector<RunTally> runs_;
  std::int64_t active_ms_ = 0;
  std::optional<std::int64_t> first_ms_;
  std::optional<std::int64_t> last_ms_;
};

/// Texts that differ in numbers only have the same shape: `try again in 1.2 s`.
std::string message_shape(std::string_view message);

}  // namespace llmbatch
