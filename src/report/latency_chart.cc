// The latency histogram and the table with bars.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "chart_frame.h"
#include "llmbatch/base/text.h"
#include "llmbatch/model/status_text.h"
#include "llmbatch/report/html_text.h"

namespace llmbatch {
namespace {

/// Where a latency stands between the edges of the bins.
class LogScale {
 public:
  explicit LogScale(const std::vector<LatencyCounts::Bin>& bins)
      : low_(std::log10(bins.front().low_micros)),
        width_(std::log10(bins.back().high_micros) - low_) {}
  double place(double micros) const { return (std::log10(std::max(micros, 1e-3)) - low_) / width_; }

 private:
  double low_;
  double width_;
};

/// Round latencies at a distance at which their labels can be read.
std::vector<FrameLabel> latency_labels(const LogScale& scale) {
  std::vector<FrameLabel> labels;
  for (int decade = 0; decade < 12; ++decade) {
    for (const double factor : {1.0, 2.0, 3.0, 5.0, 7.0}) {
      const double micros = factor * std::pow(10, decade);
      const double place = scale.place(micros);
      if (place < 0 || place > 1) continue;
      if (!labels.empty() && place - labels.back().position < 0.09) continue;
      labels.push_back({place, format_latency(micros), "", true});
    }
  }
  double last = -1;
  for (FrameLabel& label : labels) {
    label.narrow = label.position - last >= 0.2;
    if (label.narrow) last = label.position;
  }
  return labels;
}

std::string bin_bars(const LatencyChart& chart, double top) {
  std::string out;
  const double width = 1000.0 / static_cast<double>(chart.bins.size());
  for (std::size_t i = 0; i < chart.bins.size(); ++i) {
    const LatencyCounts::Bin& bin = chart.bins[i];
    if (bin.count == 0) continue;
    const double height = static_cast<double>(bin.count) / top * 100;
    out += fmt::format(
        R"(<rect class="c1" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"><title>{} to {}: {}</title></rect>)",
        static_cast<double>(i) * width + width * 0.04, 100 - height, width * 0.92, height,
        format_latency(bin.low_micros), format_latency(bin.high_micros), group_digits(bin.count));
  }
  return out;
}

}  // namespace

std::string format_latency(double micros) {
  const auto trimmed = [](double number, int digits) {
    std::string text = fmt::format("{:.{}f}", number, digits);
    while (digits > 0 && text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
    return text;
  };
  if (micros == 0) return "0";
  const double millis = micros / 1000;
  if (millis < 0.9995) return trimmed(micros, 0) + "\u00A0µs";
  if (millis < 9.995) return trimmed(millis, 2) + "\u00A0ms";
  if (millis < 999.5) return trimmed(millis, 0) + "\u00A0ms";
  if (millis < 9'995) return trimmed(millis / 1000, 2) + "\u00A0s";
  if (millis < 119'950) return trimmed(millis / 1000, 1) + "\u00A0s";
  return format_span(millis / 1000);
}

std::string render_latency_chart(const LatencyChart& chart) {
  if (chart.bins.empty()) return {};
  std::int64_t highest = 0;
  for (const auto& bin : chart.bins) highest = std::max(highest, bin.count);
  const std::vector<double> ticks = nice_ticks(static_cast<double>(highest), 4, true);
  const LogScale scale(chart.bins);
  ChartFrame frame;
  frame.title = chart.title;
  frame.summary = chart.summary;
  for (const double tick : ticks) {
    frame.y_labels.push_back({tick / ticks.back(), format_compact(tick)});
  }
  frame.x_labels = latency_labels(scale);
  double last = -1;
  for (const HistogramMarker& marker : chart.markers) {
    const double place = std::clamp(scale.place(marker.micros), 0.0, 1.0);
    // Labels that would cover each other leave only their lines.
    const double distance = place - last;
    if (distance >= 0.04) last = place;
    frame.markers.push_back(
        {place, distance >= 0.04 ? marker.label : std::string(), "", distance >= 0.12});
  }
  frame.shapes = bin_bars(chart, ticks.back());
  frame.table_heads = {"from", "to", "calls"};
  for (const auto& bin : chart.bins) {
    frame.table_rows.push_back(
        {format_latency(bin.low_micros), format_latency(bin.high_micros), group_digits(bin.count)});
  }
  return render_frame(frame);
}

std::string render_bar_table(const std::string& caption, const std::vector<std::string>& heads,
                             const std::vector<BarRow>& rows) {
  double highest = 0;
  for (const BarRow& row : rows) highest = std::max(highest, row.value);
  std::string out =
      fmt::format(R"(<table class="bars"><caption>{}</caption><thead><tr>)", escape_html(caption));
  for (std::size_t i = 0; i < heads.size(); ++i) {
    out += fmt::format(R"(<th scope="col"{}>{}</th>)", i == 1 ? R"( colspan="2")" : "",
                       escape_html(heads[i]));
  }
  out += "</tr></thead><tbody>\n";
  for (const BarRow& row : rows) {
    const double share = highest > 0 ? row.value / highest * 100 : 0;
    out += fmt::format(
        R"(<tr><th scope="row">{}</th><td class="bar" aria-hidden="true"><div class="{}" style="width:{:.2f}%"></div></td><td class="n">{}</td>)",
        escape_html(row.label), css_class(row.color), share, escape_html(row.text));
    if (heads.size() > 2) out += fmt::format(R"(<td class="note">{}</td>)", escape_html(row.note));
    out += "</tr>\n";
  }
  return out + "</tbody></table>\n";
}

}  // namespace llmbatch
