#include "llmbatch/report/html_report.h"

#include <fmt/format.h>

#include <array>

#include "chart_frame.h"
#include "html_sections.h"
#include "llmbatch/report/html_text.h"

namespace llmbatch {
namespace {

constexpr std::int64_t kMostAxisSlices = 300;

std::vector<std::int64_t> indexes_of(const std::vector<ActivitySlice>& slices) {
  std::vector<std::int64_t> indexes;
  indexes.reserve(slices.size());
  for (const ActivitySlice& slice : slices) indexes.push_back(slice.index);
  return indexes;
}

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string title_of(const RunStatus& status) {
  if (!status.input.empty() && status.input != "-") return file_name(status.input);
  return file_name(status.database);
}

struct Part {
  std::string_view id;
  std::string_view name;
  std::string html;
};

std::string navigation(const std::vector<Part>& parts) {
  std::string out = R"(<nav aria-label="Sections">)";
  for (const Part& part : parts) {
    if (part.html.empty()) continue;
    out += fmt::format("<a href=\"#{}\">{}</a>\n", part.id, part.name);
  }
  return out + "</nav>";
}

std::vector<Part> all_parts(const JobReport& report) {
  const Timeline timeline = make_timeline(report.tally.activity());
  return {
      {"progress", "Progress", progress_section(report, timeline)},
      {"states", "States", states_section(report)},
      {"latency", "Latency", latency_section(report, timeline)},
      {"errors", "Errors and retries", errors_section(report, timeline)},
      {"limits", "Rate limits", limits_section(report, timeline)},
      {"tokens", "Tokens", tokens_section(report, timeline)},
      {"cost", "Cost", cost_section(report, timeline)},
      {"compare", "Comparison", compare_section(report)},
      {"review", "Review", review_section(report)},
      {"problems", "Problems", problems_section(report)},
      {"runs", "Runs", runs_section(report)},
  };
}

}  // namespace

Timeline make_timeline(ActivityLog activity) {
  for (;;) {
    std::vector<ActivitySlice> slices = activity.slices();
    std::vector<std::int64_t> indexes = indexes_of(slices);
    TimeAxis axis(activity.step_ms(), indexes);
    if (axis.slice_count() <= kMostAxisSlices || !activity.can_coarsen()) {
      return {std::move(axis), std::move(slices), std::move(indexes)};
    }
    activity.coarsen();
  }
}

std::string slice_text(const TimeAxis& axis) {
  if (axis.step_ms() < 1000) return fmt::format("{}\u00A0ms", axis.step_ms());
  return format_gap(static_cast<double>(axis.step_ms()) / 1000);
}

std::string html_section(std::string_view id, std::string_view title, const std::string& body) {
  return fmt::format("<section id=\"{}\"><h2>{}</h2>\n{}</section>\n", id, title, body);
}

std::string render_html_report(const JobReport& report) {
  const std::vector<Part> parts = all_parts(report);
  const std::string title = escape_html(title_of(report.status));
  const std::string_view state = state_of_job(report.status);
  std::string out = fmt::format(
      R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="llmbatch {}">
<meta name="referrer" content="no-referrer">
<title>{} - llmbatch report</title>
<style>{}</style>
</head>
<body>
<header><h1><bdi>{}</bdi><span class="pill {}">{}</span></h1>
)",
      escape_html(report.version), title, kReportStyle, title, state, state);
  out += overview_section(report);
  out += navigation(parts);
  out += "</header>\n<main>\n";
  for (const Part& part : parts) out += part.html;
  out += fmt::format(
      "</main>\n<footer><p>Made by llmbatch {} on {} from <bdi>{}</bdi>. All times are UTC.</p>"
      "<p>Percentiles are exact to 1.6 %. Grey bands stand for time without any activity and are "
      "not drawn to scale.</p></footer>\n</body>\n</html>\n",
      escape_html(report.version), format_moment(to_unix_nanos(report.made_at) / 1'000'000),
      escape_html(report.status.database));
  return out;
}

}  // namespace llmbatch
