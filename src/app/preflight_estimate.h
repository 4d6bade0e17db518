// PreflightEstimate: the one line that a run begins with, from a sample of the requests that the
// scan builds anyway. Thread rule: hook() may be called from several threads, the rest from one.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "llmbatch/app/job_target.h"
#include "llmbatch/app/run_options.h"
#include "llmbatch/app/run_plan.h"
#include "llmbatch/policy/request_tally.h"
#include "llmbatch/store/store_reader.h"

namespace llmbatch {

class PreflightEstimate {
 public:
  /// `prices` must outlive it. Of an input of `size_bytes` about kSampleBytes are counted, chosen
  /// by the hash of each request: the same ones whenever the file is scanned.
  PreflightEstimate(const JobPrices& prices, std::uint64_t size_bytes, bool compressed);

  std::function<void(const Request& request, const Hash128& request_hash)> hook();
  /// See format_estimate_line; empty when nothing was scanned or nothing is to do.
  Result<std::string> line(const RunOptions& options, const JobTarget& target, const RunPlan& plan,
                           StoreReader& reader, WallTime now) const;

  static constexpr std::uint64_t kSampleBytes = 16U << 20U;

 private:
  void add(const Request& request, const Hash128& request_hash);

  std::uint64_t highest_hash_;  ///< of requests that are counted
  std::mutex mutex_;
  // Guarded by mutex_.
  RequestTally tally_;
  std::uint64_t counted_bytes_ = 0;
};

}  // namespace llmbatch
