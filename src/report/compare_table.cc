// The table of a comparison for people.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "llmbatch/base/text.h"
#include "llmbatch/report/compare_summary.h"

namespace llmbatch {
namespace {

constexpr std::size_t kMaxNameWidth = 24;
constexpr std::size_t kTextWidth = 80;
constexpr std::size_t kInputChars = 300;
constexpr std::size_t kAnswerChars = 120;
constexpr std::string_view kUnknown = "unknown";

struct Row {
  std::string name;
  std::array<std::string, 6> cells;  ///< accuracy, p, per 1,000, whole input, p50, p95
};

std::string latency(const std::optional<std::int64_t>& millis) {
  if (!millis) return "-";
  if (*millis < 1000) return fmt::format("{}ms", *millis);
  const double seconds = static_cast<double>(*millis) / 1000;
  return fmt::format("{:.{}f}s", seconds, seconds < 10 ? 1 : 0);
}

std::string price(const std::optional<Money>& money) {
  return money ? money->to_display() : std::string(kUnknown);
}

std::string p_value(double p) { return p < 0.001 ? "<0.001" : fmt::format("{:.3f}", p); }

std::string accuracy(const CompareModel& model) {
  if (model.judged == 0) return "-";
  return fmt::format("{:.1f} % ({:.0f}-{:.0f})", model.accuracy() * 100, model.interval.low * 100,
                     model.interval.high * 100);
}

Row row_of(const CompareResult& result, std::size_t index) {
  const CompareModel& model = result.models[index];
  Row row;
  row.name = (result.chosen == index ? "> " : "  ") + sanitize_for_terminal(model.model);
  row.cells = {model.reference ? "reference" : accuracy(model),
               model.with_best ? p_value(model.with_best->p_value)
                               : std::string(result.best == index ? "best" : "-"),
               price(model.cost_per_1000),
               price(model.projected),
               latency(model.latency_p50_ms),
               latency(model.latency_p95_ms)};
  if (model.reference) row.cells[1] = "-";
  return row;
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const auto used = static_cast<std::size_t>(std::max(0, display_width(text)));
  const std::string fill(width > used ? width - used : 0, ' ');
  return right ? fill + text : text + fill;
}

std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out;
  std::size_t column = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto width = static_cast<std::size_t>(std::max(0, display_width(word)));
    if (column > 0 && column + 1 + width > kTextWidth - indent) {
      out += "\n" + std::string(indent, ' ');
      column = 0;
    } else if (column > 0) {
      out += ' ';
      ++column;
    }
    out += word;
    column += width;
  }
  return out;
}

void add_rows(const CompareResult& result, std::string& out) {
  std::vector<Row> rows;
  const std::string whole = "all " + group_digits(result.items);
  rows.push_back({"  model",
                  {result.expected_field.empty() ? "agreement" : "accuracy (95 %)", "p",
                   "per 1,000", whole, "p50", "p95"}});
  for (std::size_t i = 0; i < result.models.size(); ++i) rows.push_back(row_of(result, i));
  std::size_t name_width = 0;
  std::array<std::size_t, 6> widths{};
  for (const Row& row : rows) {
    const auto width = static_cast<std::size_t>(display_width(row.name));
    if (width <= kMaxNameWidth) name_width = std::max(name_width, width);
    for (std::size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], row.cells[i].size());
    }
  }
  for (const Row& row : rows) {
    std::string line = padded(row.name, name_width, false);
    // A long name has a line of its own, so that the columns stay in sight.
    if (static_cast<std::size_t>(display_width(row.name)) > kMaxNameWidth) {
      line += "\n" + std::string(name_width, ' ');
    }
    for (std::size_t i = 0; i < widths.size(); ++i) {
      line += "  " + padded(row.cells[i], widths[i], true);
    }
    out += line + "\n";
  }
}

void add_problems(const CompareResult& result, std::string& out) {
  for (const CompareModel& model : result.models) {
    if (model.refused + model.malformed + model.failed == 0) continue;
    std::string text;
    const auto add = [&](std::int64_t count, std::string_view what) {
      if (count == 0) return;
      text += fmt::format("{}{} {} ({:.1f} %)", text.empty() ? "" : ", ", group_digits(count), what,
                          100.0 * static_cast<double>(count) /
                              static_cast<double>(std::max<std::int64_t>(1, model.done)));
    };
    add(model.refused, "refused");
    add(model.malformed, "malformed");
    add(model.failed, "failed");
    out += fmt::format("  {}: {}\n", sanitize_for_terminal(model.model), text);
  }
}

std::string_view mark(const CompareAnswer& answer) {
  if (!answer.right) return " ";
  return *answer.right ? "=" : "x";
}

void add_disagreements(const CompareResult& result, std::string& out) {
  for (const CompareDisagreement& item : result.disagreements) {
    out += fmt::format("\n{} (line {}): {}\n", truncate_chars(sanitize_for_terminal(item.id), 60),
                       item.line, truncate_chars(sanitize_for_terminal(item.input), kInputChars));
    if (item.expected) {
      out += fmt::format("  expected: {}\n",
                         truncate_chars(sanitize_for_terminal(*item.expected), kAnswerChars));
    }
    for (std::size_t i = 0; i < item.answers.size() && i < result.models.size(); ++i) {
      const CompareAnswer& answer = item.answers[i];
      std::string text =
          answer.text ? truncate_chars(sanitize_for_terminal(*answer.text), kAnswerChars) : "";
      if (answer.state != "succeeded") text = fmt::format("[{}] {}", answer.state, text);
      out += fmt::format("  {} {}: {}\n", mark(answer),
                         sanitize_for_terminal(result.models[i].model), text);
    }
  }
  const auto shown = static_cast<std::int64_t>(result.disagreements.size());
  if (shown > 0 && shown < result.disagreement_count) {
    out += fmt::format("\n... and {} more (--show-disagreements={})\n",
                       group_digits(result.disagreement_count - shown), result.disagreement_count);
  }
  if (shown > 0) out += "\n";
}

}  // namespace

std::string format_comparison(const CompareResult& result) {
  std::string out;
  add_disagreements(result, out);
  const std::string what =
      result.expected_field.empty()
          ? std::string("items")
          : fmt::format("items with '{}'", sanitize_for_terminal(result.expected_field));
  out += fmt::format("{}: a sample of {} of {} {} (seed {})\n\n",
                     sanitize_for_terminal(result.input), group_digits(result.sample),
                     group_digits(result.eligible), what, result.sample_seed);
  add_rows(result, out);
  std::string problems;
  add_problems(result, problems);
  if (!problems.empty()) out += "\n" + problems;
  out += "\n";
  for (const std::string& note : result.notes) out += wrapped("note: " + note, 6) + "\n";
  out += wrapped(result.verdict, 0) + "\n";
  return out;
}

}  // namespace llmbatch
