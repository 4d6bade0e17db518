// The estimate of a job for people and for programs. Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "llmbatch/model/run_status.h"
#include "llmbatch/policy/job_estimate.h"

namespace llmbatch {

/// Everything that is known of a job before it is run.
struct EstimateReport {
  std::string input;
  std::string database;  ///< that was read; empty: there is none yet
  std::string model;
  StateCounts items;
  std::int64_t to_do = 0;
  std::int64_t duplicates = 0;
  /// Of `to_do`: their request is answered or to be answered before. They are not in `job`.
  std::int64_t repeats = 0;
  std::optional<Money> repeats_saving;  ///< what `repeats` would cost; absent: none, or unknown
  JobEstimate job;
  EstimateBasis basis;
  bool pilot = false;           ///< the sample of the basis is a pilot's
  std::string counter;          ///< what counted the tokens
  std::int64_t own_caps = 0;    ///< requests with an output limit of their own
  std::int64_t model_caps = 0;  ///< without one, but the model has a known maximum
  std::int64_t unpriced = 0;
  std::vector<std::string> unpriced_models;
  PaceLimits limits;
  std::optional<DurationEstimate> duration;
  TokenCount shared_prefix = 0;  ///< tokens that every request begins with
  std::optional<Money> prompt_cache_saving;
  const ModelPrice* price = nullptr;  ///< of all requests, if they have one
  std::string prices_as_of;
  std::vector<std::string> notes;
};

/// Aligned lines; the last one ends in a newline.
std::string format_estimate(const EstimateReport& report);

/// `12.3M tokens in, 2.50M to 10.0M out, $37.50 to $225.00, about 1h40m (rpm limit)`: one line for
/// the beginning of a run. In batches the cost is theirs, and how long they take nobody knows.
std::string format_estimate_line(const EstimateReport& report,
                                 BillingMode mode = BillingMode::real_time);

/// One object on one line, without a newline. What is unknown is null.
std::string estimate_json(const EstimateReport& report);

}  // namespace llmbatch
