#include "preflight_estimate.h"

#include <limits>

#include "job_estimator.h"
#include "llmbatch/app/run_plan.h"
#include "llmbatch/policy/token_count.h"
#include "llmbatch/report/estimate_report.h"

namespace llmbatch {
namespace {

/// What JSON lines shrink to about a tenth of; a wrong guess only makes the sample smaller, or lets
/// it end before the file does.
constexpr std::uint64_t kUsualCompression = 8;

std::uint64_t highest_hash(std::uint64_t size_bytes) {
  constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();
  if (size_bytes <= PreflightEstimate::kSampleBytes) return kAll;
  return kAll / size_bytes * PreflightEstimate::kSampleBytes;
}

}  // namespace

PreflightEstimate::PreflightEstimate(const JobPrices& prices, std::uint64_t size_bytes,
                                     bool compressed)
    : highest_hash_(highest_hash(compressed ? size_bytes * kUsualCompression : size_bytes)),
      tally_(prices) {}

std::function<void(const Request&, const Hash128&)> PreflightEstimate::hook() {
  return [this](const Request& request, const Hash128& request_hash) {
    if (request_hash.low <= highest_hash_) add(request, request_hash);
  };
}

void PreflightEstimate::add(const Request& request, const Hash128& /*request_hash*/) {
  const TokenCount tokens = count_request_tokens(request.body);
  const std::lock_guard lock(mutex_);
  if (counted_bytes_ > kSampleBytes + kSampleBytes / 2) return;
  counted_bytes_ += request.body.size();
  tally_.add(request, tokens);
}

Result<std::string> PreflightEstimate::line(const RunOptions& options, const JobTarget& target,
                                            const RunPlan& plan, StoreReader& reader,
                                            WallTime now) const {
  const auto to_do = static_cast<std::int64_t>(items_to_do(plan.items));
  if (to_do == 0 || tally_.items() == 0) return std::string();
  const auto answers = reader.answered_items(std::nullopt, kAnswersRead);
  if (!answers) return forward_error(answers);
  EstimateReport report;
  report.basis = basis_of(*answers, {}, to_do, target);
  const std::int64_t repeats = repeats_left(plan.counts, options.reuse.enabled, to_do);
  report.job = estimate_job(tally_.scaled_to(to_do - repeats), report.basis, now);
  report.limits = pace_limits(options.limits, *answers);
  report.duration = estimate_duration(report.job, report.limits);
  const bool in_batches = options.batches.via == Via::batch;
  return format_estimate_line(report, in_batches ? BillingMode::batch : BillingMode::real_time);
}

}  // namespace llmbatch
