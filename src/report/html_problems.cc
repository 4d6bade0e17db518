// Errors, retries, and the sample of items that did not succeed.
#include <fmt/format.h>

#include <algorithm>

#include "html_sections.h"
#include "llmbatch/base/text.h"
#include "llmbatch/model/status_text.h"
#include "llmbatch/report/html_text.h"
#include "llmbatch/report/svg_chart.h"

namespace llmbatch {
namespace {

constexpr std::size_t kMessageChars = 300;
constexpr std::size_t kIdChars = 120;
constexpr std::size_t kExcerptChars = 1500;

std::string messages_of(const ErrorClassTally& tally) {
  std::string out;
  for (const MessageCount& message : tally.messages) {
    out += fmt::format("<li><span dir=\"auto\">{}</span>",
                       escape_excerpt(message.text, kMessageChars));
    if (message.count > 0) {
      out += fmt::format(" <span class=\"muted\">({})</span>", group_digits(message.count));
    }
    out += "</li>";
  }
  return out.empty() ? out : "<ul class=\"messages\">" + out + "</ul>";
}

std::string error_table(const std::vector<ErrorClassTally>& errors) {
  std::string out =
      "<table class=\"errors\"><caption>Errors by class</caption><thead><tr><th "
      "scope=\"col\">class</th><th scope=\"col\" class=\"num\">calls</th><th scope=\"col\" "
      "class=\"num\">items</th><th scope=\"col\">messages</th></tr></thead><tbody>\n";
  for (const ErrorClassTally& tally : errors) {
    out += fmt::format(
        "<tr><th scope=\"row\" class=\"mono\">{}</th><td class=\"num\" data-k=\"calls\">{}</td><td "
        "class=\"num\" data-k=\"items\">{}</td><td class=\"note\">{}</td></tr>\n",
        to_string(tally.error), group_digits(tally.attempts), group_digits(tally.items),
        messages_of(tally));
  }
  return out +
         "</tbody></table>\n<p class=\"note\">Calls: every one that ended so, those that were "
         "retried included. Items: those that ended so for good.</p>\n";
}

/// Lines that cannot be used are no items of the tally: nothing was sent for them.
void add_invalid_lines(const JobReport& report, std::vector<ErrorClassTally>& errors) {
  const std::int64_t invalid = report.status.items[ItemState::invalid];
  const auto known = std::find_if(errors.begin(), errors.end(), [](const ErrorClassTally& tally) {
    return tally.error == ErrorClass::invalid_input;
  });
  if (invalid == 0) return;
  if (known != errors.end()) {
    known->items = std::max(known->items, invalid);
    return;
  }
  ErrorClassTally tally;
  tally.error = ErrorClass::invalid_input;
  tally.items = invalid;
  for (const ProblemSample& sample : report.problems) {
    if (sample.error == tally.error) tally.messages.push_back({sample.message, 0});
  }
  errors.push_back(std::move(tally));
}

std::string retry_table(const JobTally& tally) {
  std::int64_t whole = 0;
  for (const std::int64_t count : tally.items_by_attempts()) whole += count;
  std::vector<BarRow> rows;
  for (std::size_t calls = 0; calls < JobTally::kAttemptPlaces; ++calls) {
    const std::int64_t count = tally.items_by_attempts()[calls];
    if (count == 0) continue;
    std::string label = calls == 0 ? "none" : std::to_string(calls);
    if (calls + 1 == JobTally::kAttemptPlaces) label += " or more";
    rows.push_back({label, static_cast<double>(count), group_digits(count),
                    format_percent(count, whole), ChartColor::blue});
  }
  return rows.empty() ? std::string()
                      : render_bar_table("Calls per item", {"calls", "items", "share"}, rows);
}

std::string error_chart(const Timeline& timeline) {
  TimeChart chart;
  chart.title = fmt::format("Calls that failed, per {}", slice_text(timeline.axis));
  chart.slices = timeline.indexes;
  chart.whole = true;
  chart.format = [](double value) { return group_digits(static_cast<std::int64_t>(value)); };
  std::vector<double> limited;
  std::vector<double> others;
  double calls = 0;
  double failed = 0;
  for (const ActivitySlice& slice : timeline.slices) {
    limited.push_back(static_cast<double>(slice.rate_limited));
    others.push_back(static_cast<double>(slice.other_errors));
    calls += static_cast<double>(slice.requests);
    failed += limited.back() + others.back();
  }
  chart.series = {{"rate limited (429)", ChartColor::orange, std::move(limited)},
                  {"other errors", ChartColor::red, std::move(others)}};
  chart.summary = fmt::format("{} of {} calls ({}).", chart.format(failed), chart.format(calls),
                              format_share(calls > 0 ? failed / calls : 0));
  return render_time_chart(chart, timeline.axis);
}

std::string excerpt(std::string_view label, const std::optional<std::string>& text) {
  if (!text || text->empty()) return {};
  return fmt::format("<div class=\"muted\">{}</div><pre dir=\"auto\">{}</pre>\n", label,
                     escape_excerpt(*text, kExcerptChars));
}

std::string problem(const ProblemSample& sample) {
  const std::string id = sample.has_id ? escape_excerpt(sample.id, kIdChars) : "(no id)";
  std::string meta = fmt::format("{}", to_string(sample.error));
  if (sample.http_status != 0) meta += fmt::format(", HTTP {}", sample.http_status);
  std::string facts;
  if (sample.place.line > 0)
    facts += fmt::format("line {}", group_digits(static_cast<std::int64_t>(sample.place.line)));
  if (sample.attempts > 0) {
    facts += fmt::format("{}{} {}", facts.empty() ? "" : " · ", sample.attempts,
                         sample.attempts == 1 ? "call" : "calls");
  }
  if (!sample.finish_reason.empty()) {
    facts += " · finish reason " + escape_excerpt(sample.finish_reason, 60);
  }
  return fmt::format(
      "<details class=\"problem\"><summary><span class=\"tag\">{}</span><bdi "
      "class=\"mono\">{}</bdi> "
      "<span class=\"muted\">{}</span></summary>\n<p class=\"muted\">{}</p>\n{}{}{}{}</details>\n",
      to_string(sample.state), id, meta, facts,
      excerpt("Message", sample.message.empty() ? std::nullopt : std::optional(sample.message)),
      excerpt("Input", sample.input), excerpt("Answer", sample.output),
      excerpt("Raw answer", sample.response));
}

}  // namespace

std::string errors_section(const JobReport& report, const Timeline& timeline) {
  if (report.tally.total().attempts == 0) return {};
  std::vector<ErrorClassTally> errors = report.tally.errors();
  add_invalid_lines(report, errors);
  std::string body;
  if (errors.empty()) {
    body = "<p class=\"muted\">No call failed.</p>\n";
  } else {
    body = error_chart(timeline) + error_table(errors);
  }
  return html_section("errors", "Errors and retries", body + retry_table(report.tally));
}

std::string problems_section(const JobReport& report) {
  if (report.problems.empty()) return {};
  std::string body = fmt::format(
      "<p class=\"muted\">{} of {} problems, some of each kind. <code>llmbatch export --state "
      "filtered,flagged,failed,invalid</code> lists all of them.</p>\n",
      report.problems.size(), group_digits(report.status.items.problems()));
  for (const ProblemSample& sample : report.problems) body += problem(sample);
  return html_section("problems", "Sample of problems", body);
}

}  // namespace llmbatch
