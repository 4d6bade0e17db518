// ActivityLog: what happened when, in slices of time that grow with the job, so that a job of any
// length fits into a few hundred slices. Slices without activity take no room: a job of several
// runs over days costs no more than its runs. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "llmbatch/model/job_history.h"
#include "llmbatch/report/latency_counts.h"

namespace llmbatch {

struct ActivitySlice {
  std::int64_t index = 0;  ///< begins at index * step_ms after the epoch
  // By the start of the call; answers of provider batches are left out:
  std::int64_t requests = 0;
  std::int64_t busiest_minute = 0;  ///< most requests in any 60 s that end in this slice
  // By the end of the call, or of the batch:
  std::int64_t answers = 0;
  LatencyCounts latency;  ///< of the answers to calls
  std::int64_t rate_limited = 0;
  std::int64_t other_errors = 0;
  std::int64_t input_tokens = 0;  ///< of calls
  std::int64_t output_tokens = 0;
  Money cost;
  // By the time the item was finished:
  std::int64_t succeeded = 0;
  std::int64_t problems = 0;
  std::int64_t done_in_batches = 0;  ///< of both
};

class ActivityLog {
 public:
  void add_attempt(const AttemptFacts& attempt);
  void add_item(const ItemFacts& item);
  /// To be called once, when all is added.
  void finish();

  std::int64_t step_ms() const;
  /// In the order of time; only those in which something happened.
  std::vector<ActivitySlice> slices() const;
  /// Joins slices until their step is the next larger one.
  void coarsen();
  bool can_coarsen() const;
  /// Most requests that were started in any 60 s (in whole seconds).
  std::int64_t busiest_minute() const { return busiest_minute_; }

 private:
  ActivitySlice& slice_at(std::int64_t millis);
  void count_second(std::int64_t millis);
  void settle_oldest_second();

  struct Second {
    std::int64_t second = 0;
    std::int64_t requests = 0;
  };

  std::size_t step_ = 0;
  std::map<std::int64_t, ActivitySlice> slices_;
  ActivitySlice* last_ = nullptr;  ///< the slice that was used last
  std::map<std::int64_t, std::int64_t> recent_seconds_;
  std::int64_t newest_second_ = 0;
  std::deque<Second> minute_;
  std::int64_t minute_requests_ = 0;
  std::int64_t busiest_minute_ = 0;
};

}  // namespace llmbatch
