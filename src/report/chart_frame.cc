#include "chart_frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "llmbatch/base/text.h"
#include "llmbatch/report/html_text.h"

namespace llmbatch {
namespace {

std::string legend(const std::vector<FrameLegend>& entries) {
  if (entries.size() < 2) return {};
  std::string out = R"(<span class="legend">)";
  for (const FrameLegend& entry : entries) {
    out += fmt::format(R"(<span><i class="{}"></i>{}</span>)", css_class(entry.color),
                       escape_html(entry.name));
  }
  return out + "</span>";
}

/// Labels at the edges are aligned with them instead of centred, so that they stay inside.
std::string_view edge_class(double position) {
  if (position < 0.04) return " at-left";
  if (position > 0.96) return " at-right";
  return "";
}

std::string place_labels(const std::vector<FrameLabel>& labels, std::string_view css) {
  std::string out;
  for (const FrameLabel& label : labels) {
    out += fmt::format(R"(<span class="{}{}{}" style="left:{:.2f}%">{}{}</span>)", css,
                       label.narrow ? "" : " wide", edge_class(label.position),
                       label.position * 100, escape_html(label.text),
                       label.second_line.empty() ? "" : "<br>" + escape_html(label.second_line));
  }
  return out;
}

std::string grid(const ChartFrame& frame) {
  std::string out;
  for (const FrameTick& tick : frame.y_labels) {
    out += fmt::format(R"(<path class="{}" d="M0 {:.2f}H1000"/>)",
                       tick.position == 0 ? "base" : "grid", 100 - tick.position * 100);
  }
  return out;
}

std::string overlays(const ChartFrame& frame) {
  std::string out;
  if (frame.limit) {
    out += fmt::format(R"(<path class="{}" d="M0 {:.2f}H1000"/>)",
                       frame.limit->is_goal ? "goal" : "limit", 100 - frame.limit->position * 100);
  }
  for (const FrameLabel& marker : frame.markers) {
    out += fmt::format(R"(<path class="marker" d="M{:.2f} 0V100"/>)", marker.position * 1000);
  }
  return out;
}

std::string labels(const ChartFrame& frame) {
  std::string out;
  for (const FrameTick& tick : frame.y_labels) {
    out += fmt::format(R"(<span class="y" style="bottom:{:.2f}%">{}</span>)", tick.position * 100,
                       escape_html(tick.text));
  }
  out += place_labels(frame.x_labels, "x");
  out += place_labels(frame.gap_labels, "gap-label");
  out += place_labels(frame.markers, "mark");
  if (frame.limit) {
    out += fmt::format(R"(<span class="{}-label" style="bottom:{:.2f}%">{}</span>)",
                       frame.limit->is_goal ? "goal" : "limit", frame.limit->position * 100,
                       escape_html(frame.limit->label));
  }
  return out;
}

/// Room for the longest label of the vertical axis, in characters.
std::size_t gutter(const ChartFrame& frame) {
  int longest = 5;  // so that charts below each other are aligned
  for (const FrameTick& tick : frame.y_labels) {
    longest = std::max(longest, display_width(tick.text));
  }
  return static_cast<std::size_t>(longest) + 1;
}

}  // namespace

std::string format_gap(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f}\u00A0s", seconds);
  if (seconds < 90.0 * 60) return fmt::format("{:.0f}\u00A0min", seconds / 60);
  if (seconds < 36.0 * 3600) return fmt::format("{:.0f}\u00A0h", seconds / 3600);
  return fmt::format("{:.0f}\u00A0days", seconds / 86400);
}

std::string render_table(const std::vector<std::string>& heads,
                         const std::vector<std::vector<std::string>>& rows, std::string_view css) {
  std::string out = fmt::format(R"(<div class="scroll"><table class="{}"><thead><tr>)", css);
  for (const std::string& head : heads) {
    out += fmt::format(R"(<th scope="col">{}</th>)", escape_html(head));
  }
  out += "</tr></thead><tbody>";
  for (const auto& row : rows) {
    out += "<tr>";
    for (const std::string& cell : row) out += fmt::format("<td>{}</td>", escape_html(cell));
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>";
}

std::string render_frame(const ChartFrame& frame) {
  return fmt::format(
      R"(<figure class="chart"><figcaption><b>{}</b> {}<span class="summary">{}</span></figcaption>
<div class="plot{}" style="--gutter:{}ch"><svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-label="{}">{}{}{}</svg><div aria-hidden="true">{}</div></div>
<details class="data"><summary>Numbers</summary>{}</details></figure>
)",
      escape_html(frame.title), legend(frame.legend), escape_html(frame.summary),
      frame.markers.empty() ? "" : " marked", gutter(frame),
      escape_html(frame.title + ". " + frame.summary), grid(frame), frame.shapes, overlays(frame),
      labels(frame), render_table(frame.table_heads, frame.table_rows));
}

}  // namespace llmbatch
