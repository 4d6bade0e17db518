// JobEstimator: gathers what an estimate needs: the plan of the input, the tokens of every request
// that is to be sent, and what the job's answers used so far. Sends nothing, changes nothing.
// Thread rule: one thread; counting uses a second one of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "llmbatch/app/environment.h"
#include "llmbatch/app/job_target.h"
#include "llmbatch/app/run_options.h"
#include "llmbatch/base/result.h"
#include "llmbatch/model/line_plan.h"
#include "llmbatch/policy/job_estimate.h"
#include "llmbatch/report/estimate_report.h"
#include "llmbatch/store/answered_item.h"

namespace llmbatch {

/// Answers that an estimate goes by: the latest ones.
inline constexpr std::int64_t kAnswersRead = 10'000;

/// How many of `to_do` items ask what is asked elsewhere, too; 0 where answers are not reused.
std::int64_t repeats_left(const ScanCounts& counts, bool reuse, std::int64_t to_do);

/// `counted`: counted and reported input of answered items; may be empty. `to_do`: items that the
/// estimate is for.
EstimateBasis basis_of(std::span<const AnsweredItem> answers, std::span<const SamplePair> counted,
                       std::int64_t to_do, const JobTarget& target);

PaceLimits pace_limits(const RunLimitOptions& options, std::span<const AnsweredItem> answers);

/// An estimate and the prices that it points into.
struct JobEstimateResult {
  JobPrices prices;
  EstimateReport report;
};

/// `after_pilot`: the answers of the last run are a random sample, and the only ones to go by.
/// Progress of long counts goes to stderr unless options say quiet.
Result<std::unique_ptr<JobEstimateResult>> estimate_of_job(RunOptions options,
                                                           const Environment& environment,
                                                           bool after_pilot);

}  // namespace llmbatch
