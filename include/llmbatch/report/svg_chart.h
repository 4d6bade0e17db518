// Charts as HTML fragments: an inline SVG that stretches with its box, with labels beside it as
// HTML text, so that they keep their size on a phone. No script. Every chart carries a text
// alternative and its numbers as a table. Pure functions: the same input gives the same bytes.
// All texts are escaped here.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "llmbatch/report/latency_counts.h"
#include "llmbatch/report/time_axis.h"

namespace llmbatch {

/// Round values from 0 to at least `max`, about `count` steps of 1, 2, 2.5 or 5 times a power of
/// ten; {0, 1} when there is nothing. `whole`: no step below 1.
std::vector<double> nice_ticks(double max, int count, bool whole = false);

/// How a value is written on an axis and in a table.
using ValueFormat = std::function<std::string(double)>;

/// Classes of the style sheet (html_style.h): pairs that people with colour vision deficiencies
/// tell apart, in light and dark.
enum class ChartColor { blue, orange, red, green, purple, grey };
std::string_view css_class(ChartColor color);

struct ChartSeries {
  std::string name;
  ChartColor color = ChartColor::blue;
  std::vector<double> values;  ///< one per slice
};

enum class TimeChartKind {
  bars,    ///< stacked
  lines,   ///< the value at the end of each slice
  area,    ///< as lines, filled below the first
  points,  ///< a dash per slice; zero is nothing
};

struct ChartReference {
  double value = 0;
  std::string label;
  bool is_goal = false;  ///< to be reached, not to be kept
};

struct TimeChart {
  std::string title;
  std::string summary;  ///< one sentence with the figures that matter: text alternative and caption
  TimeChartKind kind = TimeChartKind::bars;
  std::vector<std::int64_t> slices;  ///< rising; what the values belong to
  std::vector<ChartSeries> series;
  std::optional<ChartReference> limit;  ///< a horizontal line
  ValueFormat format;
  bool whole = false;  ///< no axis steps below 1
};

std::string render_time_chart(const TimeChart& chart, const TimeAxis& axis);

struct HistogramMarker {
  double micros = 0;
  std::string label;
};

struct LatencyChart {
  std::string title;
  std::string summary;
  std::vector<LatencyCounts::Bin> bins;
  std::vector<HistogramMarker> markers;  ///< rising
};

std::string render_latency_chart(const LatencyChart& chart);

/// `812 ms`, `1.24 s`, `2m05s`; number and unit never part at the end of a line.
std::string format_latency(double micros);

/// One row of a table with a bar behind its count.
struct BarRow {
  std::string label;
  double value = 0;
  std::string text;  ///< the value as it is shown
  std::string note;  ///< share or explanation; may be empty
  ChartColor color = ChartColor::blue;
};

/// A table whose bars share one scale. `heads`: label, value, note (empty: no such column).
std::string render_bar_table(const std::string& caption, const std::vector<std::string>& heads,
                             const std::vector<BarRow>& rows);

}  // namespace llmbatch
