// The page of `llmbatch report`: one self-contained HTML file. No script, no network, nothing from
// outside; a Content-Security-Policy says so to the browser, too. Thread rule: plain functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "llmbatch/model/job.h"
#include "llmbatch/model/job_history.h"
#include "llmbatch/model/run_status.h"
#include "llmbatch/report/compare_result.h"
#include "llmbatch/report/job_tally.h"

namespace llmbatch {

/// How the answers of one state were judged, in a random sample.
struct ReviewedState {
  ItemState state = ItemState::succeeded;
  std::int64_t items = 0;
  std::int64_t good = 0;
  std::int64_t bad = 0;
};

struct ReviewNote {
  std::string id;
  std::string verdict;
  std::string note;
  std::string reviewer;
};

/// Everything that the page tells.
struct JobReport {
  std::string version;  ///< of llmbatch
  WallTime made_at{};
  RunStatus status;  ///< where the job stands; database, input, counts, cost
  std::optional<JobIdentity> job;
  JobTally tally;
  std::int64_t run_count = 0;
  std::vector<RunRecord> last_runs;
  std::int64_t batch_count = 0;    ///< provider batches that reached the provider
  std::int64_t request_limit = 0;  ///< the highest that was set, per minute; 0: none
  std::vector<ProblemSample> problems;
  std::optional<CompareResult> comparison;  ///< that of the job's input
  std::vector<ReviewedState> reviewed;
  std::vector<ReviewNote> review_notes;
};

std::string render_html_report(const JobReport& report);

}  // namespace llmbatch
