// Headline, states and runs.
#include <fmt/format.h>

#include <algorithm>

#include "chart_frame.h"
#include "html_sections.h"
#include "llmbatch/base/text.h"
#include "llmbatch/model/status_text.h"
#include "llmbatch/report/html_text.h"
#include "llmbatch/report/svg_chart.h"

namespace llmbatch {
namespace {

constexpr std::size_t kTemplateChars = 4000;

std::int64_t millis_of(WallTime time) { return to_unix_nanos(time) / 1'000'000; }

struct StateLook {
  ItemState state;
  ChartColor color;
  std::string_view meaning;
};

const std::vector<StateLook>& state_looks() {
  static const std::vector<StateLook> kLooks{
      {ItemState::succeeded, ChartColor::blue, "an answer that passed its checks"},
      {ItemState::filtered, ChartColor::orange, "blocked by content policy"},
      {ItemState::flagged, ChartColor::purple, "malformed, cut or failed its checks"},
      {ItemState::failed, ChartColor::red, "permanent error, or retries used up"},
      {ItemState::invalid, ChartColor::green, "the input line cannot be used"},
      {ItemState::submitted, ChartColor::grey, "in a provider batch"},
      {ItemState::in_flight, ChartColor::grey, "a call is under way"},
      {ItemState::pending, ChartColor::grey, "not done yet"},
  };
  return kLooks;
}

std::string tile(std::string_view label, const std::string& value, const std::string& note) {
  return fmt::format(
      "<div class=\"tile\"><div class=\"k\">{}</div><div class=\"v\">{}</div><div "
      "class=\"s\">{}</div></div>\n",
      label, escape_html(value), escape_html(note));
}

std::string problems_note(const StateCounts& items) {
  std::vector<std::string> parts;
  for (const ItemState state : problem_states()) {
    if (items[state] > 0) {
      parts.push_back(fmt::format("{} {}", group_digits(items[state]), to_string(state)));
    }
  }
  return parts.empty() ? "every finished item succeeded"
                       : fmt::format("{}", fmt::join(parts, ", "));
}

std::string cost_tile(const JobReport& report) {
  const ModelTally& total = report.tally.total();
  const std::int64_t finished = report.status.items.finished();
  if (total.attempts == 0) return tile("Cost", "$0.00", "nothing was sent");
  std::string note = "no price is known for this model";
  if (total.priced > 0 && finished > 0) {
    const Money each = Money::from_pico(total.cost.pico() / finished);
    note = fmt::format("{} per item", each.to_display());
  }
  if (total.priced > 0 && total.unpriced > 0) {
    note = fmt::format("{} calls have no known price", group_digits(total.unpriced));
  } else if (report.status.projected &&
             report.status.items.finished() < report.status.items.total()) {
    note += fmt::format(", about {} in all", report.status.projected->to_display());
  }
  return tile("Cost", cost_text(total.cost, total.priced, total.unpriced), note);
}

std::string rate_tile(const JobReport& report) {
  const JobTally& tally = report.tally;
  if (tally.active_ms() <= 0) return {};
  std::int64_t finished = 0;
  for (const ActivitySlice& slice : tally.activity().slices()) {
    finished += slice.succeeded + slice.problems - slice.done_in_batches;
  }
  const double minutes = static_cast<double>(tally.active_ms()) / 60'000;
  const double rate = static_cast<double>(finished) / minutes;
  const bool fast = rate >= 600;
  return tile("Items done, on average",
              fmt::format("{}/{}", format_compact(fast ? rate / 60 : rate), fast ? "s" : "min"),
              fmt::format("{} requests in the busiest minute",
                          group_digits(tally.activity().busiest_minute())));
}

std::string duration_tile(const JobReport& report) {
  const JobTally& tally = report.tally;
  if (!tally.first_ms() || tally.total().attempts == tally.in_batches().attempts) return {};
  const double active = static_cast<double>(tally.active_ms()) / 1000;
  const std::string runs = report.run_count == 1
                               ? std::string("in one run")
                               : fmt::format("in {} runs", group_digits(report.run_count));
  const double span = static_cast<double>(*tally.last_ms() - *tally.first_ms()) / 1000;
  const bool spread = span > active * 1.2 + 1;
  return tile("Working time", format_span(active),
              runs + (spread ? fmt::format(", over {}", format_span(span)) : ""));
}

std::string latency_tile(const JobReport& report) {
  const LatencyCounts& latency = report.tally.latency();
  const auto at = [&](double share) {
    return format_latency(static_cast<double>(latency.percentile(share).value_or(0)));
  };
  if (latency.count() == 0) return {};
  return tile("Latency, median", at(0.5), fmt::format("p95 {}, p99 {}", at(0.95), at(0.99)));
}

std::string batches_tile(const JobReport& report) {
  if (report.batch_count == 0) return {};
  const ModelTally& part = report.tally.in_batches();
  std::string note = counted(part.attempts, "answer");
  const std::string share = batch_cost_share(report.tally);
  if (!share.empty()) note += ", " + share;
  return tile("Provider batches", group_digits(report.batch_count), note);
}

std::string tiles(const JobReport& report) {
  const StateCounts& items = report.status.items;
  std::string out = R"(<div class="tiles">)";
  out += tile(
      "Done", format_percent(items.finished(), items.total()),
      fmt::format("{} of {} items", group_digits(items.finished()), group_digits(items.total())));
  out += tile("Succeeded", group_digits(items[ItemState::succeeded]),
              fmt::format("{} of the finished",
                          format_percent(items[ItemState::succeeded], items.finished())));
  out += tile("Problems", group_digits(items.problems()), problems_note(items));
  out += cost_tile(report);
  out += duration_tile(report);
  out += rate_tile(report);
  out += latency_tile(report);
  out += batches_tile(report);
  const JobTally& tally = report.tally;
  if (tally.total().attempts > 0) {
    out += tile("Calls", group_digits(tally.total().attempts),
                fmt::format("{} of them retries ({})", group_digits(tally.retries()),
                            format_percent(tally.retries(), tally.total().attempts)));
  }
  return out + "</div>\n";
}

std::string state_bar(const StateCounts& items) {
  if (items.total() == 0) return {};
  std::string text;
  std::string parts;
  for (const StateLook& look : state_looks()) {
    const std::int64_t count = items[look.state];
    if (count == 0) continue;
    const std::string words = fmt::format("{} {}", group_digits(count), to_string(look.state));
    text += (text.empty() ? "" : ", ") + words;
    parts += fmt::format(
        R"(<div class="{}" style="width:{:.3f}%" title="{}"></div>)", css_class(look.color),
        100.0 * static_cast<double>(count) / static_cast<double>(items.total()), words);
  }
  return fmt::format(R"(<div class="stack" role="img" aria-label="{}">{}</div>)", text, parts);
}

std::string fact(std::string_view label, const std::string& html) {
  return html.empty() ? std::string() : fmt::format("<dt>{}</dt><dd>{}</dd>\n", label, html);
}

std::string folded(const std::string& text) {
  if (text.empty()) return {};
  const bool short_text = text.size() <= 100 && text.find('\n') == std::string::npos;
  if (short_text) return fmt::format("<code dir=\"auto\">{}</code>", escape_html(text));
  return fmt::format(
      R"(<details><summary class="mono">{}</summary><pre dir="auto">{}</pre></details>)",
      escape_excerpt(sanitize_for_terminal(text), 80), escape_excerpt(text, kTemplateChars));
}

std::string when(const JobReport& report) {
  const JobTally& tally = report.tally;
  if (!tally.first_ms()) return {};
  return fmt::format("{} to {} UTC", format_moment(*tally.first_ms()),
                     format_moment(*tally.last_ms()));
}

std::string standing(const RunStatus& status) {
  if (!status.pause_reason.empty()) return "paused: " + escape_html(status.pause_reason);
  if (status.running) {
    std::string text = "running";
    if (status.eta_seconds) text += ", about " + format_span(*status.eta_seconds) + " to go";
    if (!status.waiting_for.empty()) text += ", waiting for: " + escape_html(status.waiting_for);
    return text;
  }
  const std::int64_t open = status.items.total() - status.items.finished();
  if (open == 0) return {};
  return group_digits(open) + " items are still to be done; the same command goes on with them";
}

std::string runs_row_cost(const RunTally* tally) {
  if (tally == nullptr) return "-";
  return cost_text(tally->cost, tally->attempts - tally->unpriced, tally->unpriced);
}

const RunTally* find_run(const JobTally& tally, std::int64_t number) {
  for (const RunTally& run : tally.runs()) {
    if (run.run == number) return &run;
  }
  return nullptr;
}

std::string end_of(const RunRecord& run, bool is_running) {
  if (!run.finished_at) return is_running ? "running" : "ended without a word (killed?)";
  std::string text = run.end_reason;
  if (run.exit_code) text += fmt::format(" (exit {})", *run.exit_code);
  return text;
}

}  // namespace

std::string_view state_of_job(const RunStatus& status) {
  if (status.running) return "running";
  if (status.items.total() == 0) return "empty";
  if (status.items.finished() == status.items.total()) return "complete";
  return status.pause_reason.empty() ? "unfinished" : "paused";
}

std::string cost_text(const Money& cost, std::int64_t priced, std::int64_t unpriced) {
  if (unpriced > 0) {
    return cost == Money() || priced == 0 ? "unknown" : "at least " + cost.to_display();
  }
  return cost.to_display();
}

std::string batch_cost_share(const JobTally& tally) {
  const ModelTally& total = tally.total();
  if (total.unpriced > 0 || total.cost == Money()) return {};
  return format_percent(tally.in_batches().cost.pico(), total.cost.pico()) + " of the cost";
}

std::string overview_section(const JobReport& report) {
  std::string out = "<dl class=\"facts\">\n";
  const RunStatus& status = report.status;
  if (report.job) {
    std::string model = escape_html(report.job->model);
    if (report.job->profile != "custom") {
      model += fmt::format(" <span class=\"muted\">({})</span>", escape_html(report.job->profile));
    }
    out += fact("Model", model);
  }
  out += fact("Input", fmt::format("<bdi>{}</bdi>", escape_html(status.input)));
  out += fact("When", when(report));
  out += fact("State", standing(status));
  if (report.job) {
    out += fact("Prompt", folded(report.job->prompt_template));
    out += fact("System", folded(report.job->system_template));
    if (report.job->parameters != "{}") out += fact("Parameters", folded(report.job->parameters));
  }
  out += "</dl>\n";
  return out + state_bar(status.items) + tiles(report);
}

std::string states_section(const JobReport& report) {
  const StateCounts& items = report.status.items;
  if (items.total() == 0) return {};
  std::vector<BarRow> rows;
  for (const StateLook& look : state_looks()) {
    const std::int64_t count = items[look.state];
    if (count == 0) continue;
    rows.push_back(
        {std::string(to_string(look.state)), static_cast<double>(count), group_digits(count),
         fmt::format("{}, {}", format_percent(count, items.total()), look.meaning), look.color});
  }
  std::string body = render_bar_table("Items by state", {"state", "items", "share"}, rows);
  if (report.status.duplicates > 0) {
    body += fmt::format("<p class=\"note\">{} more lines are equal to one that is counted.</p>",
                        group_digits(report.status.duplicates));
  }
  return html_section("states", "States", body);
}

std::string runs_section(const JobReport& report) {
  if (report.last_runs.empty()) return {};
  std::vector<std::vector<std::string>> rows;
  for (auto run = report.last_runs.rbegin(); run != report.last_runs.rend(); ++run) {
    const RunTally* tally = find_run(report.tally, run->number);
    const bool is_last = run == report.last_runs.rbegin();
    const double seconds = run->finished_at ? to_seconds(*run->finished_at - run->started_at) : 0;
    rows.push_back({std::to_string(run->number), format_moment(millis_of(run->started_at)),
                    run->finished_at ? format_span(seconds) : "-",
                    run->finished_items ? group_digits(*run->finished_items) : "-",
                    group_digits(tally != nullptr ? tally->attempts : 0),
                    group_digits(tally != nullptr ? tally->errors : 0), runs_row_cost(tally),
                    end_of(*run, is_last && report.status.running)});
  }
  std::string body =
      render_table({"run", "started (UTC)", "took", "items", "calls", "errors", "cost", "ended"},
                   rows, "numbers runs");
  const auto shown = static_cast<std::int64_t>(report.last_runs.size());
  if (report.run_count > shown) {
    body += fmt::format("<p class=\"note\">The last {} of {} runs.</p>", shown,
                        group_digits(report.run_count));
  }
  return html_section("runs", "Runs",
                      body + fmt::format("<p class=\"note\">Last command: "
                                         "<code>{}</code></p>",
                                         escape_excerpt(report.last_runs.back().command, 2000)));
}

}  // namespace llmbatch
