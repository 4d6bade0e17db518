#include "llmbatch/ui/display.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "llmbatch/base/text.h"
#include "llmbatch/model/status_text.h"

namespace llmbatch {
namespace {

constexpr int kWidestBar = 50;
constexpr int kNarrowestBar = 10;
constexpr int kHintFromColumns = 60;
constexpr double kStalledAfterSeconds = 20;
constexpr double kClockTimeFromSeconds = 600;
constexpr double kNotableErrorRate = 0.02;
constexpr double kHighErrorRate = 0.05;

std::string_view separator(bool unicode) { return unicode ? " · " : "  "; }

StyledLine progress_line(const RunStatus& status, const DisplayContext& context) {
  const std::int64_t total = status.items.total();
  const std::int64_t finished = status.items.finished();
  FittedLine figures;
  figures.add(StyledLine(format_percent(finished, total), Style::strong));
  figures.add(StyledLine(group_digits(finished) + "/" + group_digits(total)), 2);
  if (finished < total && !context.over) {
    if (status.eta_seconds) {
      figures.add(StyledLine("ETA " + format_span(*status.eta_seconds), Style::strong), 1);
      if (*status.eta_seconds >= kClockTimeFromSeconds) {
        const WallTime done_at = context.wall_now + from_seconds(*status.eta_seconds);
        figures.add(StyledLine("at " + format_clock_time(done_at, context.wall_now)), 3);
      }
    }
  }
  const StyledLine text = figures.fit("  ", context.columns);
  const int room = context.columns - text.width() - 2;
  StyledLine line;
  if (room >= kNarrowestBar) {
    const double share =
        total > 0 ? static_cast<double>(finished) / static_cast<double>(total) : 0.0;
    line.add(render_bar(share, std::min(room, kWidestBar), context.unicode)).add("  ");
  }
  return line.add(text);
}

Style style_of(ItemState state) {
  const bool mild = state == ItemState::filtered || state == ItemState::flagged;
  return mild ? Style::warning : Style::bad;
}

StyledLine states_line(const RunStatus& status, const DisplayContext& context) {
  const auto text = [&](ItemState state) {
    std::string name(to_string(state));
    std::replace(name.begin(), name.end(), '_', ' ');
    return group_digits(status.items[state]) + " " + name;
  };
  FittedLine line;
  line.add(StyledLine(text(ItemState::succeeded), Style::good), 1);
  for (const ItemState state : problem_states()) {
    if (status.items[state] > 0) line.add(StyledLine(text(state), style_of(state)));
  }
  const std::string batches = format_batch_progress(status);
  if (!batches.empty()) {
    line.add(StyledLine(batches), 2);
  } else if (status.items[ItemState::submitted] > 0) {
    line.add(StyledLine(text(ItemState::submitted)), 2);
  }
  if (batches.empty() || status.items[ItemState::in_flight] > 0) {
    line.add(StyledLine(text(ItemState::in_flight)), 3);
  }
  if (status.error_rate && *status.error_rate > 0) {
    const Style style = *status.error_rate >= kHighErrorRate      ? Style::bad
                        : *status.error_rate >= kNotableErrorRate ? Style::warning
                                                                  : Style::plain;
    line.add(StyledLine("errors " + format_share(*status.error_rate), style), 1);
  }
  return line.fit(separator(context.unicode), context.columns);
}

StyledLine rates_line(const RunStatus& status, const DisplayContext& context) {
  FittedLine line;
  int rank = 2;
  for (const std::string& rate : format_rates(status)) line.add(StyledLine(rate), rank++);
  const auto costs = format_costs(status);
  if (status.spent) {
    line.add(StyledLine(costs.front(), Style::accent));
    for (std::size_t i = 1; i < costs.size(); ++i) {
      line.add(StyledLine(costs[i]), static_cast<int>(i) * 2 - 1);
    }
  } else if (!costs.empty()) {
    line.add(StyledLine("cost " + costs.front(), Style::dim), 4);
  }
  return line.fit(separator(context.unicode), context.columns);
}

StyledLine batches_line(const RunStatus& status, const DisplayContext& context) {
  std::optional<WallTime> last;
  for (const BatchProgress& batch : status.batches) {
    if (batch.expires_at) last = std::max(last.value_or(*batch.expires_at), *batch.expires_at);
  }
  const std::size_t count = status.batches.size();
  std::string text = fmt::format("{} provider {} open", count, count == 1 ? "batch" : "batches");
  if (last && *last > context.wall_now) {
    text += fmt::format(", {} {}", count == 1 ? "expires" : "the last expires",
                        format_clock_time(*last, context.wall_now));
  }
  if (context.columns >= kHintFromColumns) {
    const std::string_view them = count == 1 ? "it" : "them";
    text += status.interrupt_cancels ? fmt::format("  (Ctrl-C cancels {})", them)
                                     : fmt::format("  (Ctrl-C leaves {} running)", them);
  }
  return StyledLine(text, Style::dim);
}

StyledLine activity_line(const RunStatus& status, const DisplayContext& context) {
  const double silent = to_seconds(context.since_last_result);
  const std::int64_t in_flight = status.items[ItemState::in_flight];
  if (!status.pause_reason.empty()) {
    return StyledLine("paused: ", Style::bad).add(status.pause_reason, Style::bad);
  }
  if (!status.waiting_for.empty()) {
    return StyledLine("waiting for ", Style::warning).add(status.waiting_for, Style::warning);
  }
  if (in_flight > 0 && silent >= kStalledAfterSeconds) {
    return StyledLine(
        fmt::format("no answer for {}, {} in flight", format_span(silent), group_digits(in_flight)),
        Style::warning);
  }
  if (!status.batches.empty() && in_flight == 0) return batches_line(status, context);
  StyledLine line("sending", Style::dim);
  if (status.concurrency > 0) {
    line.add(fmt::format(", up to {} at a time", status.concurrency), Style::dim);
  }
  if (context.columns >= kHintFromColumns) line.add("  (Ctrl-C stops cleanly)", Style::dim);
  return line;
}

}  // namespace

StyledLine render_bar(double done, int columns, bool unicode) {
  constexpr std::array<std::string_view, 8> kEighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int inner = std::max(0, columns - 2);
  const double cells = std::clamp(done, 0.0, 1.0) * inner;
  const int full = static_cast<int>(cells);
  std::string filled;
  int used = full;
  for (int i = 0; i < full; ++i) filled += unicode ? "█" : "#";
  const auto eighth = static_cast<std::size_t>((cells - full) * 8);
  if (unicode && eighth > 0) {
    filled += kEighths.at(eighth);
    ++used;
  }
  StyledLine bar(unicode ? "▕" : "[", Style::dim);
  bar.add(filled, Style::accent);
  bar.add(std::string(static_cast<std::size_t>(inner - used), unicode ? ' ' : '.'), Style::dim);
  return bar.add(unicode ? "▏" : "]", Style::dim);
}

std::vector<StyledLine> render_display(const RunStatus& status, const DisplayContext& context) {
  std::vector<StyledLine> lines;
  lines.push_back(progress_line(status, context));
  if (context.rows >= 3 && !context.over) lines.push_back(activity_line(status, context));
  if (context.rows >= 4) lines.insert(lines.begin() + 1, states_line(status, context));
  if (context.rows >= 6) lines.insert(lines.begin() + 2, rates_line(status, context));
  return lines;
}

}  // namespace llmbatch
