// One snapshot of a job and its run: source of the live display, log lines, JSON events, `status`
// and the summary. Field names of the JSON form are a promise (README, Output).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "llmbatch/base/clock.h"
#include "llmbatch/model/item.h"
#include "llmbatch/model/money.h"
#include "llmbatch/model/usage.h"

namespace llmbatch {

struct StateCounts {
  std::array<std::int64_t, kItemStateCount> by_state{};

  std::int64_t& operator[](ItemState state) { return by_state[static_cast<std::size_t>(state)]; }
  std::int64_t operator[](ItemState state) const {
    return by_state[static_cast<std::size_t>(state)];
  }
  std::int64_t total() const;
  std::int64_t finished() const;  ///< in a final state
  std::int64_t problems() const;  ///< final, but not succeeded
};

/// What items answered without a call would have used, had they been called.
struct SavedByReuse {
  TokenCount input = 0;
  TokenCount output = 0;
  Money cost;                 ///< where it is known
  std::int64_t unpriced = 0;  ///< answers of unknown cost

  void add(const std::optional<Usage>& usage, const std::optional<Money>& price);
  /// Absent: nothing is known of it.
  std::optional<Money> known_cost() const;
};

struct ErrorTally {
  std::string error_class;
  std::string message;  ///< a sample, sanitised
  std::int64_t count = 0;
};

/// A provider batch that is not done.
struct BatchProgress {
  std::int64_t number = 0;
  std::string provider_id;  ///< empty: the provider has not named it yet
  std::string state;        ///< `in_progress`, `ready`, `waiting for a place in the queue`
  std::int64_t requests = 0;
  std::optional<std::int64_t> done;  ///< absent: the provider does not tell
  std::optional<WallTime> submitted_at;
  std::optional<WallTime> expires_at;
};

struct RunStatus {
  std::string database;
  std::string input;
  std::string model;
  bool running = false;
  std::int64_t pid = 0;
  std::int64_t run_number = 0;
  StateCounts items;            ///< of the current input, whenever they were finished
  std::int64_t duplicates = 0;  ///< lines left out because an equal one is there
  std::int64_t attempts = 0;    ///< of the job, all runs
  std::int64_t retries = 0;
  std::int64_t cached = 0;     ///< answered without a call
  SavedByReuse reuse;          ///< what these would have used; `saved` is its known cost
  Usage usage;                 ///< of the job, all attempts
  std::optional<Money> spent;  ///< absent: price unknown
  std::optional<Money> projected;
  std::optional<Money> saved;                 ///< by answers that needed no call
  std::optional<Money> per_item;              ///< mean of the finished items
  Money known_cost;                           ///< of the attempts with a known cost
  std::int64_t unpriced = 0;                  ///< attempts with usage, but without a known cost
  std::optional<double> requests_per_minute;  ///< over the last minute
  std::optional<double> tokens_per_minute;
  std::optional<double> eta_seconds;
  std::string waiting_for;           ///< `tpm limit, 12 s`; empty: nothing
  std::optional<double> error_rate;  ///< of the last 200 finished items, 0-1
  std::optional<WallTime> started_at;
  std::optional<WallTime> updated_at;
  std::string pause_reason;            ///< empty: not paused
  std::vector<ErrorTally> errors;      ///< commonest first
  std::vector<BatchProgress> batches;  ///< those that are open
  // Of this run alone:
  std::int64_t finished_this_run = 0;
  std::int64_t collected_this_run = 0;  ///< of these: with provider batches
  std::int64_t done_before = 0;         ///< final before this run began
  Duration elapsed{};
  std::int64_t concurrency = 0;    ///< calls allowed at a time now
  bool interrupt_cancels = false;  ///< Ctrl-C cancels the open batches
};

/// The object of `status --json`, on one line. Unknown values are null.
std::string to_json(const RunStatus& status);
/// The same members without the enclosing braces, for events that add to them.
std::string to_json_members(const RunStatus& status);

/// Everything, for the status row of the database; read back by from_storage_json.
std::string to_storage_json(const RunStatus& status);
std::optional<RunStatus> from_storage_json(const std::string& text);

}  // namespace llmbatch
