#include "rate_headers.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace llmbatch::sim {
namespace {

std::int64_t to_milliseconds_up(Duration duration) {
  return static_cast<std::int64_t>(std::ceil(to_seconds(duration) * 1000.0 - 1e-6));
}

std::string format_seconds(Duration duration) {
  const std::int64_t milliseconds = to_milliseconds_up(duration);
  std::string text = std::to_string(milliseconds / 1000);
  if (std::int64_t rest = milliseconds % 1000; rest != 0) {
    text += '.' + std::to_string(1000 + rest).substr(1);
    while (text.back() == '0') text.pop_back();
  }
  return text;
}

std::string format_whole_seconds(Duration duration) {
  return std::to_string(static_cast<std::int64_t>(std::ceil(to_seconds(duration))));
}

void append_openai(Headers& headers, const std::optional<LimitState>& requests,
                   const std::optional<LimitState>& tokens, bool only_remaining) {
  if (requests) {
    if (!only_remaining) {
      headers.emplace_back("x-ratelimit-limit-requests", std::to_string(requests->limit));
      headers.emplace_back("x-ratelimit-reset-requests", format_go_duration(requests->reset));
    }
    headers.emplace_back("x-ratelimit-remaining-requests", std::to_string(requests->remaining));
  }
  if (tokens) {
    if (!only_remaining) {
      headers.emplace_back("x-ratelimit-limit-tokens", std::to_string(tokens->limit));
      headers.emplace_back("x-ratelimit-reset-tokens", format_go_duration(tokens->reset));
    }
    headers.emplace_back("x-ratelimit-remaining-tokens", std::to_string(tokens->remaining));
  }
}

void append_mistral(Headers& headers, const LimitReport& report) {
  if (report.requests) {
    headers.emplace_back("x-ratelimit-limit-req-minute", std::to_string(report.requests->limit));
    headers.emplace_back("x-ratelimit-remaining-req-minute",
                         std::to_string(report.requests->remaining));
  }
  if (report.tokens) {
    headers.emplace_back("x-ratelimit-limit-tokens-minute", std::to_string(report.tokens->limit));
    headers.emplace_back("x-ratelimit-remaining-tokens-minute",
                         std::to_string(report.tokens->remaining));
    headers.emplace_back("x-ratelimit-tokens-query-cost", std::to_string(report.query_cost));
  }
}

std::string format_reset(WallTime now, Duration reset) {
  // Whole seconds, rounded up, without a fraction: 2026-11-23T10:00:07Z.
  return format_rfc3339(now + reset + std::chrono::milliseconds(999)).substr(0, 19) + "Z";
}

struct AnthropicNames {
  std::string_view limit;
  std::string_view remaining;
  std::string_view reset;
};

constexpr AnthropicNames kRequestNames{"anthropic-ratelimit-requests-limit",
                                       "anthropic-ratelimit-requests-remaining",
                                       "anthropic-ratelimit-requests-reset"};
constexpr AnthropicNames kTokenNames{"anthropic-ratelimit-tokens-limit",
                                     "anthropic-ratelimit-tokens-remaining",
                                     "anthropic-ratelimit-tokens-reset"};
constexpr AnthropicNames kInputNames{"anthropic-ratelimit-input-tokens-limit",
                                     "anthropic-ratelimit-input-tokens-remaining",
                                     "anthropic-ratelimit-input-tokens-reset"};
constexpr AnthropicNames kOutputNames{"anthropic-ratelimit-output-tokens-limit",
                                      "anthropic-ratelimit-output-tokens-remaining",
                                      "anthropic-ratelimit-output-tokens-reset"};

void append_anthropic(Headers& headers, const AnthropicNames& names,
                      const std::optional<LimitState>& state, bool tokens, WallTime now) {
  if (!state) return;
  // Tokens are reported to the nearest thousand.
  const std::int64_t remaining = tokens ? (state->remaining + 500) / 1000 * 1000 : state->remaining;
  headers.emplace_back(names.limit, std::to_string(state->limit));
  headers.emplace_back(names.remaining, std::to_string(remaining));
  headers.emplace_back(names.reset, format_reset(now, state->reset));
}

}  // namespace

std::string format_go_duration(Duration duration) {
  const std::int64_t milliseconds = to_milliseconds_up(duration);
  if (milliseconds == 0) return "0s";
  if (milliseconds < 1000) return std::to_string(milliseconds) + "ms";
  const std::int64_t hours = milliseconds / 3'600'000;
  const std::int64_t minutes = milliseconds / 60'000 % 60;
  std::string text;
  if (hours > 0) text += std::to_string(hours) + "h";
  if (hours > 0 || minutes > 0) text += std::to_string(minutes) + "m";
  return text + format_seconds(std::chrono::milliseconds(milliseconds % 60'000)) + "s";
}

std::string format_http_date(WallTime time) {
  constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(to_unix_nanos(time) / 1'000'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                kDays.at(static_cast<std::size_t>(parts.tm_wday)), parts.tm_mday,
                kMonths.at(static_cast<std::size_t>(parts.tm_mon)), parts.tm_year + 1900,
                parts.tm_hour, parts.tm_min, parts.tm_sec);
  return buffer.data();
}

void append_limit_headers(Headers& headers, Dialect dialect, HeaderStyle style,
                          const LimitReport& report, WallTime now) {
  if (style == HeaderStyle::none) return;
  switch (dialect) {
    case Dialect::openai:
      return append_openai(headers, report.requests ? report.requests : report.requests_per_day,
                           report.tokens, false);
    case Dialect::groq:
      // Groq's requests are those of a day, its tokens those of a minute.
      return append_openai(headers, report.requests_per_day, report.tokens, false);
    case Dialect::azure:
      return append_openai(headers, report.requests, report.tokens, true);
    case Dialect::mistral:
      return append_mistral(headers, report);
    case Dialect::anthropic:
      append_anthropic(headers, kRequestNames, report.requests, false, now);
      append_anthropic(headers, kTokenNames, report.tokens, true, now);
      append_anthropic(headers, kInputNames, report.input_tokens, true, now);
      return append_anthropic(headers, kOutputNames, report.output_tokens, true, now);
    case Dialect::plain:
    case Dialect::gemini:
      return;
  }
}

void append_retry_headers(Headers& headers, Dialect dialect, RetryHint hint, Duration wait,
                          WallTime now) {
  switch (hint) {
    case RetryHint::none:
      return;
    case RetryHint::seconds:
      headers.emplace_back("retry-after", format_whole_seconds(wait));
      return;
    case RetryHint::milliseconds:
      headers.emplace_back("retry-after-ms", std::to_string(to_milliseconds_up(wait)));
      return;
    case RetryHint::http_date:
      headers.emplace_back("retry-after",
                           format_http_date(now + wait + std::chrono::milliseconds(999)));
      return;
    case RetryHint::automatic:
      break;
  }
  switch (dialect) {
    case Dialect::openai:
    case Dialect::plain:
    case Dialect::azure:
      headers.emplace_back("retry-after-ms", std::to_string(to_milliseconds_up(wait)));
      headers.emplace_back("retry-after", format_whole_seconds(wait));
      return;
    case Dialect::groq:
      headers.emplace_back("retry-after", format_seconds(wait));
      return;
    case Dialect::anthropic:
      headers.emplace_back("retry-after", format_whole_seconds(wait));
      return;
    case Dialect::mistral:
    case Dialect::gemini:
      return;
  }
}

}  // namespace llmbatch::sim
