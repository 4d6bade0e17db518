#include "llmbatch/report/svg_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "chart_frame.h"
#include "llmbatch/base/text.h"
#include "llmbatch/report/html_text.h"

namespace llmbatch {
namespace {

constexpr double kWidth = 1000;
constexpr double kHeight = 100;

double highest_stack(const TimeChart& chart) {
  double highest = 0;
  for (std::size_t i = 0; i < chart.slices.size(); ++i) {
    double sum = 0;
    for (const ChartSeries& series : chart.series) {
      if (i >= series.values.size()) continue;
      sum = chart.kind == TimeChartKind::bars ? sum + series.values[i]
                                              : std::max(sum, series.values[i]);
    }
    highest = std::max(highest, sum);
  }
  return highest;
}

std::string slice_times(std::int64_t slice, std::int64_t step_ms) {
  return format_moment(slice * step_ms);
}

std::string bars(const TimeChart& chart, const TimeAxis& axis, double top) {
  std::string out;
  const double width = std::max(axis.slice_width() * kWidth, 0.5);
  // A hair between bars, unless they are so many that it would eat them.
  const double drawn = width > 4 ? width * 0.86 : width;
  for (std::size_t i = 0; i < chart.slices.size(); ++i) {
    const double x = axis.left_of(chart.slices[i]) * kWidth + (width - drawn) / 2;
    double below = 0;
    std::string title = slice_times(chart.slices[i], axis.step_ms());
    std::string rectangles;
    for (const ChartSeries& series : chart.series) {
      const double value = series.values[i];
      title += fmt::format(" · {}: {}", series.name, chart.format(value));
      if (value <= 0) continue;
      const double height = value / top * kHeight;
      rectangles +=
          fmt::format(R"(<rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>)",
                      css_class(series.color), x, kHeight - below - height, drawn, height);
      below += height;
    }
    if (rectangles.empty()) continue;
    out += fmt::format("<g>{}<title>{}</title></g>", rectangles, escape_html(title));
  }
  return out;
}

struct Point {
  double x = 0;
  double y = 0;
};

/// One polyline per segment of the axis.
std::vector<std::vector<Point>> segment_points(const std::vector<std::int64_t>& slices,
                                               const std::vector<double>& values,
                                               const TimeAxis& axis, double top) {
  std::vector<std::vector<Point>> lines;
  std::size_t i = 0;
  double value = 0;
  for (const TimeAxis::Segment& segment : axis.segments()) {
    std::vector<Point> line{{segment.left * kWidth, kHeight - value / top * kHeight}};
    for (; i < slices.size() && slices[i] <= segment.last; ++i) {
      const double x = axis.left_of(slices[i]) * kWidth;
      // What changed in a slice changed within it: flat up to its beginning.
      if (x > line.back().x) line.push_back({x, line.back().y});
      value = values[i];
      line.push_back({x + axis.slice_width() * kWidth, kHeight - value / top * kHeight});
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string to_path(const std::vector<Point>& points) {
  std::string path;
  for (const Point& point : points) {
    path += fmt::format("{}{:.2f} {:.2f}", path.empty() ? "M" : "L", point.x, point.y);
  }
  return path;
}

std::string lines(const TimeChart& chart, const TimeAxis& axis, double top) {
  std::string out;
  for (const ChartSeries& series : chart.series) {
    const auto segments = segment_points(chart.slices, series.values, axis, top);
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const auto& points = segments[i];
      const std::string path = to_path(points);
      if (chart.kind == TimeChartKind::area && &series == &chart.series.front()) {
        out += fmt::format(R"(<path class="fill {}" d="{}L{:.2f} {}L{:.2f} {}Z"/>)",
                           css_class(series.color), path, points.back().x, kHeight,
                           points.front().x, kHeight);
      }
      out += fmt::format(R"(<path class="line {}" d="{}"/>)", css_class(series.color), path);
      if (i == 0) continue;
      const Point& from = segments[i - 1].back();
      out +=
          fmt::format(R"(<path class="line dashed {}" d="M{:.2f} {:.2f}L{:.2f} {:.2f}"/>)",
                      css_class(series.color), from.x, from.y, points.front().x, points.front().y);
    }
  }
  return out;
}

std::string points(const TimeChart& chart, const TimeAxis& axis, double top) {
  std::string out;
  const double width = axis.slice_width() * kWidth;
  for (const ChartSeries& series : chart.series) {
    std::string path;
    for (std::size_t i = 0; i < chart.slices.size(); ++i) {
      if (series.values[i] <= 0) continue;
      path += fmt::format("M{:.2f} {:.2f}h{:.2f}", axis.left_of(chart.slices[i]) * kWidth,
                          kHeight - series.values[i] / top * kHeight, width);
    }
    out += fmt::format(R"(<path class="line thick {}" d="{}"/>)", css_class(series.color), path);
  }
  return out;
}

std::string gap_bands(const TimeAxis& axis) {
  std::string out;
  for (const TimeAxis::Gap& gap : axis.gaps()) {
    out += fmt::format(
        R"(<rect class="gap" x="{:.2f}" y="0" width="{:.2f}" height="{}"><title>{} without activity, not drawn to scale</title></rect>)",
        gap.left * kWidth, gap.width * kWidth, kHeight,
        escape_html(format_gap(static_cast<double>(gap.millis) / 1000)));
  }
  return out;
}

ChartFrame frame_of(const TimeChart& chart, const TimeAxis& axis, double top) {
  ChartFrame frame;
  frame.title = chart.title;
  frame.summary = chart.summary;
  for (const ChartSeries& series : chart.series)
    frame.legend.push_back({series.name, series.color});
  for (const TimeAxis::Tick& tick : axis.ticks()) {
    frame.x_labels.push_back({tick.position, tick.label, tick.date, tick.narrow});
  }
  for (const TimeAxis::Gap& gap : axis.gaps()) {
    frame.gap_labels.push_back(
        {gap.left + gap.width / 2, format_gap(static_cast<double>(gap.millis) / 1000), "", true});
  }
  if (chart.limit) {
    frame.limit = FrameLimit{chart.limit->value / top, chart.limit->label, chart.limit->is_goal};
  }
  frame.table_heads.emplace_back("from (UTC)");
  for (const ChartSeries& series : chart.series) frame.table_heads.push_back(series.name);
  for (std::size_t i = 0; i < chart.slices.size(); ++i) {
    std::vector<std::string> row{slice_times(chart.slices[i], axis.step_ms())};
    for (const ChartSeries& series : chart.series) row.push_back(chart.format(series.values[i]));
    frame.table_rows.push_back(std::move(row));
  }
  return frame;
}

}  // namespace

std::vector<double> nice_ticks(double max, int count, bool whole) {
  if (!(max > 0) || !std::isfinite(max)) return {0, 1};
  const double raw = max / count;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
    if (factor * power < raw * (1 - 1e-9)) continue;
    step = factor * power;
    break;
  }
  if (whole) step = std::max(1.0, std::ceil(step));
  std::vector<double> ticks;
  const auto last = static_cast<int>(std::ceil(max / step - 1e-9));
  for (int i = 0; i <= last; ++i) ticks.push_back(step * i);
  return ticks;
}

std::string_view css_class(ChartColor color) {
  switch (color) {
    case ChartColor::blue:
      return "c1";
    case ChartColor::orange:
      return "c2";
    case ChartColor::red:
      return "c3";
    case ChartColor::green:
      return "c4";
    case ChartColor::purple:
      return "c5";
    case ChartColor::grey:
      return "c6";
  }
  return "c6";
}

std::string render_time_chart(const TimeChart& chart, const TimeAxis& axis) {
  double max = highest_stack(chart);
  if (chart.limit) max = std::max(max, chart.limit->value * (chart.limit->is_goal ? 1 : 1.04));
  const std::vector<double> ticks = nice_ticks(max, 4, chart.whole);
  const double top = ticks.back();
  ChartFrame frame = frame_of(chart, axis, top);
  for (const double tick : ticks) frame.y_labels.push_back({tick / top, chart.format(tick)});
  frame.shapes = gap_bands(axis);
  switch (chart.kind) {
    case TimeChartKind::bars:
      frame.shapes += bars(chart, axis, top);
      break;
    case TimeChartKind::points:
      frame.shapes += points(chart, axis, top);
      break;
    case TimeChartKind::lines:
    case TimeChartKind::area:
      frame.shapes += lines(chart, axis, top);
      break;
  }
  return render_frame(frame);
}

}  // namespace llmbatch
