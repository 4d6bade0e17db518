// The sections with charts over time, and latency.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "html_sections.h"
#include "llmbatch/base/text.h"
#include "llmbatch/model/status_text.h"
#include "llmbatch/report/html_text.h"
#include "llmbatch/report/svg_chart.h"

namespace llmbatch {
namespace {

constexpr double kMinuteMs = 60'000;
// From here on people think in items per second.
constexpr double kFastPerMinute = 600;

using SliceValue = std::function<double(const ActivitySlice&)>;

std::vector<double> values_of(const Timeline& timeline, const SliceValue& value) {
  std::vector<double> values;
  values.reserve(timeline.slices.size());
  for (const ActivitySlice& slice : timeline.slices) values.push_back(value(slice));
  return values;
}

std::vector<double> running_sum(std::vector<double> values) {
  double sum = 0;
  for (double& value : values) value = sum += value;
  return values;
}

std::string format_rate(double value) {
  if (value < 10 && value != std::floor(value)) return fmt::format("{:.1f}", value);
  return value < 10'000 ? group_digits(std::llround(value)) : format_compact(value);
}

std::string format_count(double value) {
  return value < 100'000 ? group_digits(std::llround(value)) : format_compact(value);
}

std::string format_dollars(double pico) {
  return Money::from_pico(std::llround(pico)).to_display();
}

struct Rate {
  double per_slice = 1;  ///< what one event of a slice adds
  const char* unit = "minute";
};

/// Counts per slice as a rate per minute, or per second where that is many.
Rate choose_rate(const Timeline& timeline, const SliceValue& count) {
  const double per_minute = kMinuteMs / static_cast<double>(timeline.axis.step_ms());
  double highest = 0;
  for (const ActivitySlice& slice : timeline.slices) highest = std::max(highest, count(slice));
  if (highest * per_minute >= kFastPerMinute) return {per_minute / 60, "second"};
  return {per_minute, "minute"};
}

/// `at 2026-11-25 02:14:30`: of the highest value.
std::string when_highest(const Timeline& timeline, const std::vector<double>& values) {
  const auto highest = std::max_element(values.begin(), values.end());
  const auto index = static_cast<std::size_t>(highest - values.begin());
  return format_moment(timeline.indexes[index] * timeline.axis.step_ms());
}

double highest_of(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

TimeChart chart_of(const Timeline& timeline, std::string title, TimeChartKind kind,
                   ValueFormat format) {
  TimeChart chart;
  chart.title = std::move(title);
  chart.kind = kind;
  chart.slices = timeline.indexes;
  chart.format = std::move(format);
  return chart;
}

std::string done_chart(const JobReport& report, const Timeline& timeline) {
  TimeChart chart = chart_of(timeline, "Items done", TimeChartKind::area, format_count);
  const auto done = running_sum(values_of(timeline, [](const ActivitySlice& slice) {
    return static_cast<double>(slice.succeeded + slice.problems);
  }));
  const auto problems = running_sum(values_of(
      timeline, [](const ActivitySlice& slice) { return static_cast<double>(slice.problems); }));
  chart.whole = true;
  chart.series = {{"done", ChartColor::blue, done},
                  {"of these problems", ChartColor::red, problems}};
  const StateCounts& items = report.status.items;
  chart.summary =
      fmt::format("{} of {} items are done, {} of them problems.", group_digits(items.finished()),
                  group_digits(items.total()), group_digits(items.problems()));
  if (items.finished() < items.total()) {
    chart.limit = ChartReference{static_cast<double>(items.total()),
                                 fmt::format("{} items", group_digits(items.total())), true};
  }
  return render_time_chart(chart, timeline.axis);
}

bool has_any(const Timeline& timeline, const SliceValue& value) {
  return std::any_of(timeline.slices.begin(), timeline.slices.end(),
                     [&](const ActivitySlice& slice) { return value(slice) > 0; });
}

/// Without what came with batches: a batch brings all its items at once, which is no rate.
std::string throughput_chart(const Timeline& timeline) {
  const SliceValue finished = [](const ActivitySlice& slice) {
    return static_cast<double>(slice.succeeded + slice.problems - slice.done_in_batches);
  };
  if (!has_any(timeline, finished)) return {};
  const Rate rate = choose_rate(timeline, finished);
  TimeChart chart =
      chart_of(timeline, fmt::format("Items per {}", rate.unit), TimeChartKind::bars, format_rate);
  const auto values = values_of(
      timeline, [&](const ActivitySlice& slice) { return finished(slice) * rate.per_slice; });
  chart.series = {{"items", ChartColor::blue, values}};
  const bool batches = has_any(timeline, [](const ActivitySlice& slice) {
    return static_cast<double>(slice.done_in_batches);
  });
  chart.summary = fmt::format("Highest {} per {}, at {}{}.", format_rate(highest_of(values)),
                              rate.unit, when_highest(timeline, values),
                              batches ? "; without the items of provider batches" : "");
  return render_time_chart(chart, timeline.axis);
}

std::string latency_over_time(const Timeline& timeline) {
  // One slice has no course.
  if (timeline.slices.size() < 2) return {};
  TimeChart chart = chart_of(timeline, "Latency over time", TimeChartKind::bars, format_latency);
  const auto at = [&](double share) {
    return values_of(timeline, [share](const ActivitySlice& slice) {
      return static_cast<double>(slice.latency.percentile(share).value_or(0));
    });
  };
  const auto median = at(0.5);
  auto above = at(0.95);
  chart.summary = fmt::format(
      "Of the answers in each slice of {}: the median, at most {}, and the 95 % line, at most {}.",
      slice_text(timeline.axis), format_latency(highest_of(median)),
      format_latency(highest_of(above)));
  chart.kind = TimeChartKind::points;
  chart.series = {{"median", ChartColor::blue, median},
                  {"95 % within", ChartColor::orange, std::move(above)}};
  return render_time_chart(chart, timeline.axis);
}

BarRow token_row(std::string label, std::int64_t count, std::int64_t whole, ChartColor color) {
  return {std::move(label), static_cast<double>(count), group_digits(count),
          format_percent(count, whole), color};
}

/// What identical requests saved.
std::string saved_text(const JobReport& report) {
  if (report.status.cached == 0) return {};
  std::string text = fmt::format("<p>{} items were answered from earlier identical requests",
                                 group_digits(report.status.cached));
  if (report.status.saved) text += ", which saved " + report.status.saved->to_display();
  return text + ".</p>\n";
}

/// What came at the price of batches.
std::string batches_text(const JobReport& report) {
  const ModelTally& part = report.tally.in_batches();
  if (part.attempts == 0) return {};
  std::string text =
      fmt::format("<p>{} came with {} provider {}, for {}", counted(part.attempts, "answer"),
                  group_digits(report.batch_count), report.batch_count == 1 ? "batch" : "batches",
                  cost_text(part.cost, part.priced, part.unpriced));
  const std::string share = batch_cost_share(report.tally);
  if (!share.empty()) text += ", " + share;
  return text + ".</p>\n";
}

std::string model_table(const JobReport& report) {
  std::vector<BarRow> rows;
  for (const ModelTally& model : report.tally.models()) {
    if (model.priced + model.unpriced == 0) continue;
    const std::string cost = cost_text(model.cost, model.priced, model.unpriced);
    rows.push_back({model.name.empty() ? "(not named)" : truncate_chars(model.name, 80),
                    static_cast<double>(model.cost.pico()), cost,
                    fmt::format("{} calls, {} tokens in, {} out", group_digits(model.attempts),
                                group_digits(model.usage.input), group_digits(model.usage.output)),
                    ChartColor::green});
  }
  return rows.empty() ? std::string()
                      : render_bar_table("Cost by model", {"model", "cost", "for"}, rows);
}

}  // namespace

std::string progress_section(const JobReport& report, const Timeline& timeline) {
  const bool any = has_any(timeline, [](const ActivitySlice& slice) {
    return static_cast<double>(slice.succeeded + slice.problems);
  });
  if (!any) {
    return html_section("progress", "Progress", "<p class=\"muted\">No item is done yet.</p>\n");
  }
  return html_section("progress", "Progress and throughput",
                      done_chart(report, timeline) + throughput_chart(timeline));
}

std::string latency_section(const JobReport& report, const Timeline& timeline) {
  const LatencyCounts& latency = report.tally.latency();
  if (latency.count() == 0) return {};
  LatencyChart chart;
  chart.title = "Calls by latency";
  chart.bins = latency.log_bins();
  std::vector<BarRow> rows;
  for (const auto& [share, name] :
       {std::pair{0.5, "p50"}, {0.9, "p90"}, {0.95, "p95"}, {0.99, "p99"}}) {
    const auto micros = static_cast<double>(latency.percentile(share).value_or(0));
    rows.push_back({fmt::format("{} % ({})", share * 100, name), micros, format_latency(micros), "",
                    ChartColor::blue});
    if (share != 0.9) chart.markers.push_back({micros, name});
  }
  const auto largest = static_cast<double>(latency.largest());
  rows.push_back({"all", largest, format_latency(largest), "", ChartColor::blue});
  chart.summary = fmt::format(
      "{} answers: half of them within {}, 95 % within {}, 99 % within {}. Logarithmic scale.",
      group_digits(latency.count()), rows[0].text, rows[2].text, rows[3].text);
  return html_section("latency", "Latency",
                      render_latency_chart(chart) +
                          render_bar_table("Percentiles", {"of the answers", "came within"}, rows) +
                          latency_over_time(timeline));
}

std::string limits_section(const JobReport& report, const Timeline& timeline) {
  if (!has_any(timeline,
               [](const ActivitySlice& slice) { return static_cast<double>(slice.requests); })) {
    return {};
  }
  TimeChart chart =
      chart_of(timeline, "Requests in any 60 seconds", TimeChartKind::bars, format_count);
  const auto values = values_of(timeline, [](const ActivitySlice& slice) {
    return static_cast<double>(slice.busiest_minute);
  });
  const auto busiest = report.tally.activity().busiest_minute();
  chart.whole = true;
  chart.series = {{"requests in the busiest 60 seconds", ChartColor::blue, values}};
  if (report.request_limit > 0) {
    chart.limit = ChartReference{static_cast<double>(report.request_limit),
                                 fmt::format("limit {}", group_digits(report.request_limit))};
    chart.summary = fmt::format(
        "At most {} requests in any minute, {} of the limit of {}.", group_digits(busiest),
        format_percent(busiest, report.request_limit), group_digits(report.request_limit));
  } else {
    chart.summary =
        fmt::format("At most {} requests in any minute; no limit of requests per minute was set.",
                    group_digits(busiest));
  }
  std::string body = render_time_chart(chart, timeline.axis);
  const SliceValue limited = [](const ActivitySlice& slice) {
    return static_cast<double>(slice.rate_limited);
  };
  if (!has_any(timeline, limited)) {
    body += "<p class=\"muted\">The provider refused no call for its rate (429).</p>\n";
    return html_section("limits", "Rate limits", body);
  }
  TimeChart refused =
      chart_of(timeline,
               fmt::format("Calls refused for their rate (429), per {}", slice_text(timeline.axis)),
               TimeChartKind::bars, format_count);
  const auto refusals = values_of(timeline, limited);
  refused.whole = true;
  refused.series = {{"refused", ChartColor::orange, refusals}};
  double sum = 0;
  for (const double value : refusals) sum += value;
  refused.summary = fmt::format("{} in all, most of them at {}.", format_count(sum),
                                when_highest(timeline, refusals));
  return html_section("limits", "Rate limits", body + render_time_chart(refused, timeline.axis));
}

std::string tokens_section(const JobReport& report, const Timeline& timeline) {
  const Usage& usage = report.tally.total().usage;
  if (usage.total() == 0) return {};
  const std::int64_t whole = usage.total();
  std::vector<BarRow> rows;
  rows.push_back(token_row("input", usage.input, whole, ChartColor::blue));
  if (usage.cached_input > 0) {
    rows.push_back(token_row("of these cached", usage.cached_input, whole, ChartColor::green));
  }
  if (usage.cache_write > 0) {
    rows.push_back(
        token_row("of these written to the cache", usage.cache_write, whole, ChartColor::purple));
  }
  rows.push_back(token_row("output", usage.output, whole, ChartColor::orange));
  if (usage.reasoning > 0) {
    rows.push_back(token_row("of these reasoning", usage.reasoning, whole, ChartColor::red));
  }
  const double per_minute = kMinuteMs / static_cast<double>(timeline.axis.step_ms());
  TimeChart chart = chart_of(timeline, "Tokens per minute", TimeChartKind::bars,
                             [](double v) { return format_compact(v); });
  chart.series = {
      {"input", ChartColor::blue,
       values_of(timeline,
                 [&](const ActivitySlice& slice) {
                   return static_cast<double>(slice.input_tokens) * per_minute;
                 })},
      {"output", ChartColor::orange, values_of(timeline, [&](const ActivitySlice& slice) {
         return static_cast<double>(slice.output_tokens) * per_minute;
       })}};
  const Usage& in_batches = report.tally.in_batches().usage;
  std::string body = render_bar_table("Tokens of all calls", {"kind", "tokens", "share"}, rows);
  if (in_batches.total() == whole) return html_section("tokens", "Tokens", body);
  chart.summary = fmt::format("{} tokens in and {} out, retries included{}.",
                              group_digits(usage.input - in_batches.input),
                              group_digits(usage.output - in_batches.output),
                              in_batches.total() > 0 ? "; without those of provider batches" : "");
  return html_section("tokens", "Tokens", body + render_time_chart(chart, timeline.axis));
}

std::string cost_section(const JobReport& report, const Timeline& timeline) {
  const ModelTally& total = report.tally.total();
  if (total.priced + total.unpriced == 0) return {};
  if (total.priced == 0) {
    return html_section("cost", "Cost",
                        fmt::format("<p>Unknown: no price is known for {} calls.</p>\n",
                                    group_digits(total.unpriced)) +
                            model_table(report));
  }
  TimeChart chart = chart_of(timeline, "Cost so far", TimeChartKind::area, format_dollars);
  chart.series = {
      {"cost", ChartColor::green, running_sum(values_of(timeline, [](const ActivitySlice& slice) {
         return static_cast<double>(slice.cost.pico());
       }))}};
  chart.summary = fmt::format("{} for {} calls, failed ones and retries included.",
                              cost_text(total.cost, total.priced, total.unpriced),
                              group_digits(total.attempts));
  return html_section("cost", "Cost",
                      render_time_chart(chart, timeline.axis) + model_table(report) +
                          batches_text(report) + saved_text(report));
}

}  // namespace llmbatch
