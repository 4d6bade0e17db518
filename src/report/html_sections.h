// The parts of the report page. Each returns a whole <section>, or nothing when there is nothing
// to tell. Private to the report module.
#pragma once

#include <string>
#include <string_view>

#include "llmbatch/report/html_report.h"
#include "llmbatch/report/time_axis.h"

namespace llmbatch {

/// What the charts over time share.
struct Timeline {
  TimeAxis axis;
  std::vector<ActivitySlice> slices;
  std::vector<std::int64_t> indexes;  ///< of the slices
};
/// Slices coarse enough for the axis to hold at most a few hundred of them.
Timeline make_timeline(ActivityLog activity);

std::string html_section(std::string_view id, std::string_view title, const std::string& body);

std::string overview_section(const JobReport& report);
std::string progress_section(const JobReport& report, const Timeline& timeline);
std::string states_section(const JobReport& report);
std::string latency_section(const JobReport& report, const Timeline& timeline);
std::string errors_section(const JobReport& report, const Timeline& timeline);
std::string limits_section(const JobReport& report, const Timeline& timeline);
std::string tokens_section(const JobReport& report, const Timeline& timeline);
std::string cost_section(const JobReport& report, const Timeline& timeline);
std::string compare_section(const JobReport& report);
std::string review_section(const JobReport& report);
std::string problems_section(const JobReport& report);
std::string runs_section(const JobReport& report);

/// How long a slice of the axis is: `5 min`.
std::string slice_text(const TimeAxis& axis);

/// `complete`, `running`, `paused`, `unfinished`, `empty`.
std::string_view state_of_job(const RunStatus& status);
/// `$3.42`, `unknown`, `at least $3.42`: a sum of which some parts may have no known price.
std::string cost_text(const Money& cost, std::int64_t priced, std::int64_t unpriced);

/// `40.0 % of the cost`: what came with provider batches; empty where a price is unknown.
std::string batch_cost_share(const JobTally& tally);

/// A share on a line from 0 to 100 % with its interval around it. Shares from 0 to 1.
std::string range_bar(double share, double low, double high);
/// `94.0 %`.
std::string share_text(double share);
/// `90.1 to 96.4 %`.
std::string interval_text(double low, double high);

/// The style sheet.
extern const std::string_view kReportStyle;

}  // namespace llmbatch
