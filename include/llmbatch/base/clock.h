// Clock: the only source of time. Steady time drives every decision; wall time is for records, HTTP
// dates and the stored state of the limiter. Thread rule: implementations are safe from any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace llmbatch {

using Duration = std::chrono::nanoseconds;
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime now() const = 0;
  virtual WallTime wall_now() const = 0;
};

class SystemClock final : public Clock {
 public:
  SteadyTime now() const override;
  WallTime wall_now() const override;
};

/// Seconds as a double, for display and rates.
double to_seconds(Duration duration);
/// A Duration from seconds, saturating instead of overflowing.
Duration from_seconds(double seconds);

/// `2026-11-23T02:14:07.123Z` (RFC 3339, UTC, milliseconds).
std::string format_rfc3339(WallTime time);
/// Parses RFC 3339 (`Z` or numeric offset, optional fraction), years 1970 to 2261: what comes from
/// outside can be subtracted from any time without overflow.
std::optional<WallTime> parse_rfc3339(std::string_view text);
/// Parses an HTTP date (RFC 9110 section 5.6.7, IMF-fixdate form only), of the same years.
std::optional<WallTime> parse_http_date(std::string_view text);

/// Nanoseconds since the Unix epoch.
std::int64_t to_unix_nanos(WallTime time);
WallTime from_unix_nanos(std::int64_t nanos);

/// `1.2s`, `3m05s`, `2h14m`: for people.
std::string format_duration(Duration duration);

}  // namespace llmbatch
