#include "llmbatch/report/time_axis.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

namespace llmbatch {
namespace {

constexpr double kGapWidth = 0.03;
constexpr double kTicksPerAxis = 8;
constexpr double kLabelDistance = 0.085;
constexpr double kNarrowLabelDistance = 0.28;
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::array<std::int64_t, 15> kTickSteps{
    1'000,     5'000,      10'000,     30'000,     60'000,     300'000,     600'000,      1'800'000,
    3'600'000, 10'800'000, 21'600'000, 43'200'000, 86'400'000, 604'800'000, 2'419'200'000};

std::tm to_utc(std::int64_t millis) {
  const std::time_t seconds = millis / 1000 - (millis % 1000 < 0 ? 1 : 0);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return parts;
}

std::string format_date(std::int64_t millis) { return fmt::format("{:%b %d}", to_utc(millis)); }

std::string format_time(std::int64_t millis, std::int64_t precision_ms) {
  return precision_ms < 60'000 ? fmt::format("{:%H:%M:%S}", to_utc(millis))
                               : fmt::format("{:%H:%M}", to_utc(millis));
}

/// Gaps longer than this many slices are cut out.
std::int64_t cut_above(const std::vector<std::int64_t>& occupied) {
  std::vector<std::int64_t> gaps;
  for (std::size_t i = 1; i < occupied.size(); ++i) gaps.push_back(occupied[i] - occupied[i - 1]);
  std::sort(gaps.rbegin(), gaps.rend());
  const auto tenth = static_cast<std::int64_t>(occupied.size() / 10);
  std::int64_t threshold = std::max<std::int64_t>(6, tenth);
  // With many gaps only the longest are worth a cut.
  const std::size_t most = TimeAxis::kMostSegments - 1;
  if (gaps.size() > most) threshold = std::max(threshold, gaps[most]);
  return threshold;
}

/// The middle of a label: those at the edges are moved inwards to fit.
double middle_of(double position, double label_width) {
  return std::clamp(position, label_width / 2, 1 - label_width / 2);
}

bool far_from_all(const std::vector<TimeAxis::Tick>& ticks, double position, double distance) {
  const double middle = middle_of(position, distance);
  return std::none_of(ticks.begin(), ticks.end(), [&](const TimeAxis::Tick& tick) {
    return tick.narrow && std::abs(middle_of(tick.position, distance) - middle) < distance;
  });
}

void choose_narrow(std::vector<TimeAxis::Tick>& ticks, bool with_date) {
  for (TimeAxis::Tick& tick : ticks) {
    if (with_date && tick.date.empty()) continue;
    if (!tick.narrow) tick.narrow = far_from_all(ticks, tick.position, kNarrowLabelDistance);
  }
}

}  // namespace

TimeAxis::TimeAxis(std::int64_t step_ms, const std::vector<std::int64_t>& occupied)
    : step_ms_(step_ms) {
  const std::int64_t threshold = cut_above(occupied);
  for (const std::int64_t slice : occupied) {
    if (segments_.empty() || slice - segments_.back().last > threshold) {
      segments_.push_back({slice, slice, 0, 0});
    } else {
      segments_.back().last = slice;
    }
  }
  for (const Segment& segment : segments_) slice_count_ += segment.last - segment.first + 1;
  if (segments_.empty()) return;
  const double gap_total = kGapWidth * static_cast<double>(segments_.size() - 1);
  slice_width_ = (1 - gap_total) / static_cast<double>(slice_count_);
  double left = 0;
  for (Segment& segment : segments_) {
    segment.left = left;
    segment.width = slice_width_ * static_cast<double>(segment.last - segment.first + 1);
    left += segment.width + kGapWidth;
  }
}

double TimeAxis::left_of(std::int64_t slice) const {
  for (const Segment& segment : segments_) {
    if (slice < segment.first) return segment.left;
    if (slice <= segment.last + 1) {
      return segment.left + slice_width_ * static_cast<double>(slice - segment.first);
    }
  }
  return 1;
}

std::vector<TimeAxis::Gap> TimeAxis::gaps() const {
  std::vector<Gap> gaps;
  for (std::size_t i = 1; i < segments_.size(); ++i) {
    const Segment& before = segments_[i - 1];
    gaps.push_back(
        {before.left + before.width, kGapWidth, (segments_[i].first - before.last - 1) * step_ms_});
  }
  return gaps;
}

std::vector<TimeAxis::Tick> TimeAxis::candidates() const {
  std::vector<Tick> ticks;
  for (const Segment& segment : segments_) {
    const std::int64_t begin = segment.first * step_ms_;
    const std::int64_t end = (segment.last + 1) * step_ms_;
    const double wanted = std::max(1.0, kTicksPerAxis * segment.width);
    std::int64_t tick_step = kTickSteps.back();
    for (const std::int64_t step : kTickSteps) {
      if (static_cast<double>(end - begin) / static_cast<double>(step) > wanted) continue;
      tick_step = step;
      break;
    }
    const auto add = [&](std::int64_t millis, std::int64_t precision_ms) {
      const double share = static_cast<double>(millis - begin) / static_cast<double>(end - begin);
      const bool days = precision_ms >= kDayMs;
      ticks.push_back({segment.left + segment.width * share,
                       days ? format_date(millis) : format_time(millis, precision_ms),
                       days ? std::string() : format_date(millis), false});
    };
    const std::int64_t first = (begin + tick_step - 1) / tick_step * tick_step;
    // A segment says when it begins unless a round time follows soon.
    if (static_cast<double>(first - begin) > 0.25 * static_cast<double>(end - begin)) {
      add(begin, tick_step < 60'000 || end - begin < 60'000 ? 1'000 : 60'000);
    }
    for (std::int64_t at = first; at < end; at += tick_step) add(at, tick_step);
  }
  return ticks;
}

std::vector<TimeAxis::Tick> TimeAxis::ticks() const {
  std::vector<Tick> kept;
  std::string date;
  for (Tick& tick : candidates()) {
    const double middle = middle_of(tick.position, kLabelDistance);
    if (!kept.empty() &&
        middle - middle_of(kept.back().position, kLabelDistance) < kLabelDistance) {
      continue;
    }
    if (tick.date == date) {
      tick.date.clear();
    } else if (!tick.date.empty()) {
      date = tick.date;
    }
    kept.push_back(std::move(tick));
  }
  choose_narrow(kept, true);
  choose_narrow(kept, false);
  return kept;
}

std::string format_moment(std::int64_t millis) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", to_utc(millis));
}

}  // namespace llmbatch
