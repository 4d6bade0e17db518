// TimeAxis: places moments on a line from 0 to 1. Long stretches without activity (the nights
// between runs) shrink to a gap of fixed width, so that what happened stays readable. Times are
// counted in slices of `step_ms` since the epoch. Thread rule: immutable after construction.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace llmbatch {

class TimeAxis {
 public:
  static constexpr std::size_t kMostSegments = 8;

  /// `occupied`: the slices in which something happened, rising.
  TimeAxis(std::int64_t step_ms, const std::vector<std::int64_t>& occupied);

  struct Segment {
    std::int64_t first = 0;  ///< slices, both inclusive
    std::int64_t last = 0;
    double left = 0;
    double width = 0;
  };
  const std::vector<Segment>& segments() const { return segments_; }
  std::int64_t step_ms() const { return step_ms_; }
  /// Slices that the axis shows, empty ones included.
  std::int64_t slice_count() const { return slice_count_; }
  double slice_width() const { return slice_width_; }
  /// The left edge of a slice; that of a slice in a gap is the gap's.
  double left_of(std::int64_t slice) const;

  struct Gap {
    double left = 0;
    double width = 0;
    std::int64_t millis = 0;  ///< how long nothing happened
  };
  std::vector<Gap> gaps() const;

  struct Tick {
    double position = 0;
    std::string label;    ///< `02:14`, `02:14:30`, `Nov 25`
    std::string date;     ///< `Nov 25`, where it differs from the tick before; else empty
    bool narrow = false;  ///< to be kept on a narrow screen
  };
  /// About eight labels at round times (UTC), far enough from each other.
  std::vector<Tick> ticks() const;

 private:
  std::vector<Tick> candidates() const;

  std::int64_t step_ms_;
  std::vector<Segment> segments_;
  std::int64_t slice_count_ = 0;
  double slice_width_ = 1;
};

/// `2026-11-25 02:14:30` (UTC).
std::string format_moment(std::int64_t millis);

}  // namespace llmbatch
