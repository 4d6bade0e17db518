// The comparison of models that stands beside the job's input.
#include <fmt/format.h>

#include "html_sections.h"
#include "llmbatch/base/text.h"
#include "llmbatch/report/compare_result.h"
#include "llmbatch/report/html_text.h"
#include "llmbatch/report/svg_chart.h"

namespace llmbatch {
namespace {

constexpr std::size_t kModelChars = 80;
constexpr std::size_t kShownDisagreements = 10;
constexpr std::size_t kAnswerChars = 300;

std::string money(const std::optional<Money>& amount) {
  return amount ? amount->to_display() : "unknown";
}

std::string latency(const std::optional<std::int64_t>& millis) {
  return millis ? format_latency(static_cast<double>(*millis) * 1000) : "-";
}

std::string number_cell(const std::string& text) {
  return fmt::format("<td class=\"num\">{}</td>", escape_html(text));
}

std::string model_row(const CompareResult& result, std::size_t index) {
  const CompareModel& model = result.models[index];
  std::string name = escape_excerpt(model.model, kModelChars);
  if (result.chosen == index) name += " <span class=\"pill complete\">cheapest good enough</span>";
  if (result.best == index) name += " <span class=\"pill running\">best</span>";
  if (model.reference) name += " <span class=\"muted\">(reference)</span>";
  std::string out = fmt::format("<tr><th scope=\"row\"><bdi>{}</bdi></th>", name);
  const bool known = model.judged > 0 && !model.reference;
  out += fmt::format(
      "<td class=\"range\">{}</td><td class=\"num\">{}</td>",
      known ? range_bar(model.accuracy(), model.interval.low, model.interval.high) : "",
      known ? fmt::format("{} <span class=\"muted\">({})</span>", share_text(model.accuracy()),
                          interval_text(model.interval.low, model.interval.high))
            : "-");
  out += number_cell(money(model.cost_per_1000)) + number_cell(money(model.projected)) +
         number_cell(latency(model.latency_p50_ms)) + number_cell(latency(model.latency_p95_ms)) +
         number_cell(group_digits(model.malformed)) + number_cell(group_digits(model.refused)) +
         number_cell(group_digits(model.failed));
  return out + "</tr>\n";
}

std::string model_table(const CompareResult& result) {
  const std::string accuracy = result.expected_field.empty() ? "agreement" : "accuracy";
  std::string out =
      "<div class=\"scroll\"><table class=\"wilson\"><thead><tr><th scope=\"col\">model</th>";
  out += fmt::format(
      "<th scope=\"col\">0 to 100 %</th><th scope=\"col\" class=\"num\">{} (95 %)</th>", accuracy);
  for (const char* head :
       {"per 1,000", "whole file", "p50", "p95", "malformed", "refused", "failed"}) {
    out += fmt::format("<th scope=\"col\" class=\"num\">{}</th>", head);
  }
  out += "</tr></thead><tbody>\n";
  for (std::size_t i = 0; i < result.models.size(); ++i) out += model_row(result, i);
  return out + "</tbody></table></div>\n";
}

std::string disagreement(const CompareResult& result, const CompareDisagreement& item) {
  std::string out = fmt::format(
      "<details class=\"problem\"><summary><bdi class=\"mono\">{}</bdi> <span "
      "class=\"muted\">line {}</span></summary>\n<pre dir=\"auto\">{}</pre>\n",
      escape_excerpt(item.id, 120), group_digits(item.line), escape_excerpt(item.input, 1500));
  if (item.expected) {
    out += fmt::format("<p><span class=\"muted\">expected</span> <bdi>{}</bdi></p>\n",
                       escape_excerpt(*item.expected, kAnswerChars));
  }
  for (std::size_t i = 0; i < std::min(item.answers.size(), result.models.size()); ++i) {
    const CompareAnswer& answer = item.answers[i];
    const std::string_view mark = !answer.right ? "" : *answer.right ? "right" : "wrong";
    out += fmt::format(
        "<p><span class=\"muted\">{}</span> <span class=\"tag\">{}</span><bdi>{}</bdi></p>\n",
        escape_excerpt(result.models[i].model, kModelChars), mark,
        answer.text ? escape_excerpt(*answer.text, kAnswerChars)
                    : "(" + escape_html(answer.state) + ")");
  }
  return out + "</details>\n";
}

}  // namespace

std::string compare_section(const JobReport& report) {
  if (!report.comparison) return {};
  const CompareResult& result = *report.comparison;
  std::string body = fmt::format("<p class=\"lead\">{}</p>\n", escape_html(result.verdict));
  body += fmt::format(
      "<p class=\"muted\">The same {} items of {} through each model, drawn at random{}.</p>\n",
      group_digits(result.sample), group_digits(result.items),
      result.expected_field.empty()
          ? ""
          : ", compared with the field <code>" + escape_html(result.expected_field) + "</code>");
  body += model_table(result);
  for (const std::string& note : result.notes) {
    body += fmt::format("<p class=\"note\">{}</p>\n", escape_html(note));
  }
  if (!result.disagreements.empty()) {
    body += fmt::format("<h3>Where they disagree ({} items)</h3>\n",
                        group_digits(result.disagreement_count));
  }
  for (std::size_t i = 0; i < std::min(result.disagreements.size(), kShownDisagreements); ++i) {
    body += disagreement(result, result.disagreements[i]);
  }
  return html_section("compare", "Comparison of models", body);
}

}  // namespace llmbatch
