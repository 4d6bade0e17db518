#include "llmbatch/base/clock.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

namespace llmbatch {
namespace {

using std::chrono::floor;

/// Reads fixed-width fields from the front of a text; the first mismatch makes it fail for good.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : rest_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }

  int number(std::size_t digits) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const char c = take();
      if (c < '0' || c > '9') ok_ = false;
      value = value * 10 + (c - '0');
    }
    return ok_ ? value : 0;
  }

  void literal(std::string_view expected) {
    if (rest_.substr(0, expected.size()) != expected) {
      ok_ = false;
    } else {
      rest_.remove_prefix(expected.size());
    }
  }

  char take() {
    if (rest_.empty()) {
      ok_ = false;
      return '\0';
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  void fail() { ok_ = false; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

struct CivilTime {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

/// Absent for dates that do not exist, and where 64-bit nanoseconds cannot hold the date or how far
/// it is from another one.
std::optional<WallTime> to_wall_time(const CivilTime& civil) {
  const std::chrono::year_month_day date{std::chrono::year{civil.year},
                                         std::chrono::month{static_cast<unsigned>(civil.month)},
                                         std::chrono::day{static_cast<unsigned>(civil.day)}};
  constexpr int kFirstYear = 1970;
  constexpr int kLastYear = 2261;
  if (!date.ok() || civil.year < kFirstYear || civil.year > kLastYear) return std::nullopt;
  // 60 is a leap second, counted as the first second of the next minute.
  if (civil.hour > 23 || civil.minute > 59 || civil.second > 60) return std::nullopt;
  return WallTime{std::chrono::sys_days{date}} + std::chrono::hours{civil.hour} +
         std::chrono::minutes{civil.minute} + std::chrono::seconds{civil.second};
}

Duration read_fraction(FieldReader& reader) {
  std::int64_t nanos = 0;
  std::int64_t unit = 100'000'000;
  bool any = false;
  while (reader.peek() >= '0' && reader.peek() <= '9') {
    nanos += unit * (reader.take() - '0');
    unit /= 10;
    any = true;
  }
  if (!any) reader.fail();
  return Duration{nanos};
}

Duration read_offset(FieldReader& reader) {
  const char sign = reader.take();
  if (sign == 'Z' || sign == 'z') return Duration{0};
  if (sign != '+' && sign != '-') reader.fail();
  const int hours = reader.number(2);
  reader.literal(":");
  const int minutes = reader.number(2);
  if (hours > 23 || minutes > 59) reader.fail();
  const Duration offset = std::chrono::hours{hours} + std::chrono::minutes{minutes};
  return sign == '-' ? -offset : offset;
}

int read_month_name(FieldReader& reader) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::array<char, 3> name = {reader.take(), reader.take(), reader.take()};
  for (std::size_t index = 0; index < kMonths.size(); ++index) {
    if (kMonths[index] == std::string_view(name.data(), name.size())) {
      return static_cast<int>(index) + 1;
    }
  }
  reader.fail();
  return 0;
}

void put_digits(char* place, int value, int digits) {
  for (int index = digits - 1; index >= 0; --index) {
    place[index] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

}  // namespace

SteadyTime SystemClock::now() const { return std::chrono::steady_clock::now(); }

WallTime SystemClock::wall_now() const { return std::chrono::system_clock::now(); }

double to_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

Duration from_seconds(double seconds) {
  const double nanos = seconds * 1e9;
  if (std::isnan(nanos)) return Duration{0};
  // 2^63 is the smallest double above the range; every double below it fits.
  if (nanos >= 0x1p63) return Duration::max();
  if (nanos < -0x1p63) return Duration::min();
  return Duration{static_cast<std::int64_t>(nanos)};
}

std::string format_rfc3339(WallTime time) {
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const auto millis = static_cast<int>(floor<std::chrono::milliseconds>(time - day).count());
  std::string text = "0000-00-00T00:00:00.000Z";
  put_digits(&text[0], static_cast<int>(date.year()), 4);
  put_digits(&text[5], static_cast<int>(static_cast<unsigned>(date.month())), 2);
  put_digits(&text[8], static_cast<int>(static_cast<unsigned>(date.day())), 2);
  put_digits(&text[11], millis / 3'600'000, 2);
  put_digits(&text[14], millis / 60'000 % 60, 2);
  put_digits(&text[17], millis / 1'000 % 60, 2);
  put_digits(&text[20], millis % 1'000, 3);
  return text;
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  FieldReader reader(text);
  CivilTime civil;
  civil.year = reader.number(4);
  reader.literal("-");
  civil.month = reader.number(2);
  reader.literal("-");
  civil.day = reader.number(2);
  const char separator = reader.take();
  if (separator != 'T' && separator != 't' && separator != ' ') reader.fail();
  civil.hour = reader.number(2);
  reader.literal(":");
  civil.minute = reader.number(2);
  reader.literal(":");
  civil.second = reader.number(2);
  Duration fraction{0};
  if (reader.peek() == '.') {
    reader.take();
    fraction = read_fraction(reader);
  }
  const Duration offset = read_offset(reader);
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  const std::optional<WallTime> time = to_wall_time(civil);
  if (!time) return std::nullopt;
  return *time + fraction - offset;
}

std::optional<WallTime> parse_http_date(std::string_view text) {
  FieldReader reader(text);
  // The name of the day says nothing that the date does not say.
  for (int i = 0; i < 3; ++i) reader.take();
  reader.literal(", ");
  CivilTime civil;
  civil.day = reader.number(2);
  reader.literal(" ");
  civil.month = read_month_name(reader);
  reader.literal(" ");
  civil.year = reader.number(4);
  reader.literal(" ");
  civil.hour = reader.number(2);
  reader.literal(":");
  civil.minute = reader.number(2);
  reader.literal(":");
  civil.second = reader.number(2);
  reader.literal(" GMT");
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  return to_wall_time(civil);
}

std::int64_t to_unix_nanos(WallTime time) { return time.time_since_epoch().count(); }

WallTime from_unix_nanos(std::int64_t nanos) { return WallTime{Duration{nanos}}; }

std::string format_duration(Duration duration) {
  if (duration < Duration{0}) duration = Duration{0};
  const std::int64_t tenths = duration.count() / 100'000'000;
  const std::int64_t seconds = tenths / 10;
  if (seconds < 60) return fmt::format("{}.{}s", seconds, tenths % 10);
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
}

}  // namespace llmbatch
