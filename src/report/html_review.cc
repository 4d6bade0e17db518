// What reviewers said about a random sample of the answers.
#include <fmt/format.h>

#include "html_sections.h"
#include "llmbatch/base/text.h"
#include "llmbatch/policy/proportion.h"
#include "llmbatch/report/html_text.h"

namespace llmbatch {
namespace {

constexpr std::size_t kNoteChars = 500;

std::string state_row(const ReviewedState& state) {
  const std::int64_t judged = state.good + state.bad;
  std::string share = "-";
  std::string range;
  if (judged > 0) {
    const double part = static_cast<double>(state.good) / static_cast<double>(judged);
    const ShareInterval interval = wilson_interval(state.good, judged);
    share = fmt::format("{} <span class=\"muted\">({})</span>", share_text(part),
                        interval_text(interval.low, interval.high));
    range = range_bar(part, interval.low, interval.high);
  }
  return fmt::format(
      "<tr><th scope=\"row\">{}</th><td class=\"num\">{}</td><td class=\"num\">{}</td><td "
      "class=\"num\">{}</td><td class=\"range\">{}</td><td class=\"num\">{}</td></tr>\n",
      to_string(state.state), group_digits(state.items), group_digits(judged),
      group_digits(state.good), range, share);
}

std::string notes_list(const std::vector<ReviewNote>& notes) {
  if (notes.empty()) return {};
  std::string out = "<h3>Notes of the reviewers</h3>\n<ul class=\"notes\">\n";
  for (const ReviewNote& note : notes) {
    out += fmt::format(
        "<li><span class=\"tag\">{}</span><bdi class=\"mono\">{}</bdi> <span "
        "dir=\"auto\">{}</span> <span class=\"muted\">{}</span></li>\n",
        escape_html(note.verdict), escape_excerpt(note.id, 120),
        escape_excerpt(note.note, kNoteChars), escape_excerpt(note.reviewer, 60));
  }
  return out + "</ul>\n";
}

}  // namespace

std::string share_text(double share) { return fmt::format("{:.1f}\u00A0%", share * 100); }

std::string interval_text(double low, double high) {
  return fmt::format("{:.1f} to {:.1f}\u00A0%", low * 100, high * 100);
}

std::string range_bar(double share, double low, double high) {
  return fmt::format(
      R"(<div aria-hidden="true"><i style="left:{:.2f}%;width:{:.2f}%"></i><b style="left:{:.2f}%"></b></div>)",
      low * 100, (high - low) * 100, share * 100);
}

std::string review_section(const JobReport& report) {
  std::vector<Stratum> strata;
  std::int64_t judged = 0;
  std::string rows;
  for (const ReviewedState& state : report.reviewed) {
    strata.push_back({state.items, state.good + state.bad, state.good});
    judged += state.good + state.bad;
    if (state.items > 0) rows += state_row(state);
  }
  const auto quality = stratified_share(strata);
  if (!quality) return {};
  std::string body = fmt::format(
      "<p class=\"lead\"><b>{}</b> of the answers are good, as estimated from {} that were judged "
      "at random; with 95 % confidence {}.</p>\n",
      share_text(quality->share), group_digits(judged),
      interval_text(quality->interval.low, quality->interval.high));
  body += fmt::format(
      "<div class=\"scroll\"><table class=\"wilson\"><caption>Verdicts by "
      "state</caption><thead><tr><th "
      "scope=\"col\">state</th><th scope=\"col\" class=\"num\">items</th><th scope=\"col\" "
      "class=\"num\">judged</th><th scope=\"col\" class=\"num\">good</th><th scope=\"col\" "
      "class=\"range\">0 to "
      "100 %</th><th scope=\"col\" class=\"num\">share (95 %)</th></tr></thead><tbody>\n{}</tbody>"
      "</table></div>\n",
      rows);
  return html_section("review", "Review", body + notes_list(report.review_notes));
}

}  // namespace llmbatch
