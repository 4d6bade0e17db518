#include <array>
#include <charconv>
#include <cmath>

#include "llmbatch/base/text.h"
#include "llmbatch/provider/rate_limit_headers.h"

namespace llmbatch {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A plain decimal at the start of `text`, which is advanced past it.
std::optional<double> take_number(std::string_view& text) {
  if (text.empty() || (!is_digit(text.front()) && text.front() != '.')) return std::nullopt;
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

struct Unit {
  std::string_view name;
  double seconds;
};

/// Longer names first: `ms` must not be read as minutes.
constexpr std::array<Unit, 10> kShortUnits{{{"ms", 1e-3},
                                            {"us", 1e-6},
                                            {"\xC2\xB5s", 1e-6},
                                            {"\xCE\xBCs", 1e-6},
                                            {"ns", 1e-9},
                                            {"d", 86400},
                                            {"h", 3600},
                                            {"m", 60},
                                            {"s", 1},
                                            {"", 0}}};

std::optional<double> take_short_unit(std::string_view& text) {
  for (const auto& unit : kShortUnits) {
    if (!unit.name.empty() && text.starts_with(unit.name)) {
      text.remove_prefix(unit.name.size());
      return unit.seconds;
    }
  }
  return std::nullopt;
}

/// `1m30.5s` at the start of `text`, as far as it reaches; absent when there is no number with a
/// unit.
std::optional<double> take_duration_seconds(std::string_view& text) {
  double total = 0;
  bool any = false;
  while (true) {
    std::string_view rest = text;
    const auto number = take_number(rest);
    if (!number) break;
    const auto unit = take_short_unit(rest);
    if (!unit) break;
    total += *number * *unit;
    any = true;
    text = rest;
  }
  if (!any) return std::nullopt;
  return total;
}

std::optional<Duration> positive(double seconds) {
  if (!std::isfinite(seconds)) return std::nullopt;
  const Duration duration = from_seconds(seconds);
  // Less than a nanosecond is nothing, too.
  return duration > Duration::zero() ? std::optional(duration) : std::nullopt;
}

/// Words as well as short units, with a space between number and unit.
std::optional<Duration> duration_in_prose(std::string_view text) {
  constexpr std::array<Unit, 5> kWords{
      {{"millisecond", 1e-3}, {"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400}}};
  text = trim(text);
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (!number) return std::nullopt;
  const std::string_view word = trim(rest);
  for (const auto& unit : kWords) {
    if (word.starts_with(unit.name)) return positive(*number * unit.seconds);
  }
  if (const auto seconds = take_duration_seconds(text)) return positive(*seconds);
  // `37 s` has a space, which a Go duration never has.
  std::string_view after_space = word;
  if (const auto unit = take_short_unit(after_space)) return positive(*number * *unit);
  return std::nullopt;
}

}  // namespace

std::optional<Duration> parse_go_duration(std::string_view text) {
  text = trim(text);
  if (text.empty()) return std::nullopt;
  std::string_view bare = text;
  if (const auto number = take_number(bare); number && bare.empty()) return from_seconds(*number);
  const auto seconds = take_duration_seconds(text);
  if (!seconds || !text.empty()) return std::nullopt;
  return from_seconds(*seconds);
}

std::optional<Duration> retry_after_hint(const ReplyHeaders& headers, WallTime now) {
  if (!headers.retry_after_ms.empty()) {
    std::string_view text = headers.retry_after_ms;
    const auto number = take_number(text);
    if (number && text.empty()) {
      if (const auto hint = positive(*number / 1000)) return hint;
    }
  }
  if (headers.retry_after.empty()) return std::nullopt;
  if (const auto duration = parse_go_duration(headers.retry_after)) {
    if (*duration <= Duration::zero()) return std::nullopt;
    return duration;
  }
  if (const auto date = parse_http_date(headers.retry_after)) {
    if (*date > now) return *date - now;
  }
  return std::nullopt;
}

std::optional<Duration> retry_hint_in_text(std::string_view message) {
  // Of OpenAI, Azure, Gemini and Groq, in this order.
  constexpr std::array<std::string_view, 5> kPhrases{"try again in ", "retry after ", "retry in ",
                                                     "try again after ", "wait "};
  // Only the beginning is searched: a hint stands there, and a text can be megabytes.
  const std::string text = to_lower_ascii(message.substr(0, 4096));
  for (const auto phrase : kPhrases) {
    for (auto at = text.find(phrase); at != std::string::npos; at = text.find(phrase, at + 1)) {
      const auto rest = std::string_view(text).substr(at + phrase.size());
      if (const auto hint = duration_in_prose(rest)) return hint;
    }
  }
  return std::nullopt;
}

}  // namespace llmbatch
