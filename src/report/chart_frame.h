// What all charts have in common: title, legend, grid, labels, text alternative and table around
// the shapes of one. Private to the report module.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "llmbatch/report/svg_chart.h"

namespace llmbatch {

struct FrameLabel {
  double position = 0;  ///< 0: left, 1: right
  std::string text;
  std::string second_line;
  bool narrow = true;  ///< shown on a narrow screen, too
};

struct FrameTick {
  double position = 0;  ///< 0: bottom, 1: top
  std::string text;
};

struct FrameLimit {
  double position = 0;
  std::string label;
  bool is_goal = false;
};

struct FrameLegend {
  std::string name;
  ChartColor color = ChartColor::blue;
};

struct ChartFrame {
  std::string title;
  std::string summary;
  std::vector<FrameLegend> legend;
  std::vector<FrameTick> y_labels;
  std::vector<FrameLabel> x_labels;
  std::vector<FrameLabel> gap_labels;
  std::vector<FrameLabel> markers;  ///< vertical lines with a label at their head
  std::optional<FrameLimit> limit;
  std::string shapes;  ///< SVG in a box of 1000 x 100
  std::vector<std::string> table_heads;
  std::vector<std::vector<std::string>> table_rows;
};

std::string render_frame(const ChartFrame& frame);

/// `14 h`, `3 days`: how long nothing happened.
std::string format_gap(double seconds);

/// A plain table; all columns but the first are numbers.
std::string render_table(const std::vector<std::string>& heads,
                         const std::vector<std::vector<std::string>>& rows,
                         std::string_view css = "numbers");

}  // namespace llmbatch
