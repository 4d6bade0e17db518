#include "llmbatch/provider/rate_limit_headers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

using Bucket = RateLimitBucketHint RateLimitHints::*;

enum class Part : std::uint8_t { limit, remaining, reset };

/// One header name of a family and what it says. The name is written in lower case.
struct NameRule {
  std::string_view name;
  Bucket bucket;
  Part part;
};

constexpr Bucket kRequests = &RateLimitHints::requests_per_minute;
constexpr Bucket kRequestsPerDay = &RateLimitHints::requests_per_day;
constexpr Bucket kTokens = &RateLimitHints::tokens_per_minute;
constexpr Bucket kInputTokens = &RateLimitHints::input_tokens_per_minute;
constexpr Bucket kOutputTokens = &RateLimitHints::output_tokens_per_minute;

constexpr auto kOpenai = std::to_array<NameRule>({
    {"x-ratelimit-limit-requests", kRequests, Part::limit},
    {"x-ratelimit-remaining-requests", kRequests, Part::remaining},
    {"x-ratelimit-reset-requests", kRequests, Part::reset},
    {"x-ratelimit-limit-tokens", kTokens, Part::limit},
    {"x-ratelimit-remaining-tokens", kTokens, Part::remaining},
    {"x-ratelimit-reset-tokens", kTokens, Part::reset},
    {"x-ratelimit-limit-project-tokens", kTokens, Part::limit},
    {"x-ratelimit-remaining-project-tokens", kTokens, Part::remaining},
    {"x-ratelimit-reset-project-tokens", kTokens, Part::reset},
});

constexpr auto kGroq = std::to_array<NameRule>({
    {"x-ratelimit-limit-requests", kRequestsPerDay, Part::limit},
    {"x-ratelimit-remaining-requests", kRequestsPerDay, Part::remaining},
    {"x-ratelimit-reset-requests", kRequestsPerDay, Part::reset},
    {"x-ratelimit-limit-tokens", kTokens, Part::limit},
    {"x-ratelimit-remaining-tokens", kTokens, Part::remaining},
    {"x-ratelimit-reset-tokens", kTokens, Part::reset},
});

// anthropic-ratelimit-tokens-* repeats the tighter of the two below and is not needed beside them.
constexpr auto kAnthropic = std::to_array<NameRule>({
    {"anthropic-ratelimit-requests-limit", kRequests, Part::limit},
    {"anthropic-ratelimit-requests-remaining", kRequests, Part::remaining},
    {"anthropic-ratelimit-requests-reset", kRequests, Part::reset},
    {"anthropic-ratelimit-tokens-limit", kTokens, Part::limit},
    {"anthropic-ratelimit-tokens-remaining", kTokens, Part::remaining},
    {"anthropic-ratelimit-tokens-reset", kTokens, Part::reset},
    {"anthropic-ratelimit-input-tokens-limit", kInputTokens, Part::limit},
    {"anthropic-ratelimit-input-tokens-remaining", kInputTokens, Part::remaining},
    {"anthropic-ratelimit-input-tokens-reset", kInputTokens, Part::reset},
    {"anthropic-ratelimit-output-tokens-limit", kOutputTokens, Part::limit},
    {"anthropic-ratelimit-output-tokens-remaining", kOutputTokens, Part::remaining},
    {"anthropic-ratelimit-output-tokens-reset", kOutputTokens, Part::reset},
});

constexpr auto kMistral = std::to_array<NameRule>({
    {"x-ratelimit-limit-req-minute", kRequests, Part::limit},
    {"x-ratelimit-remaining-req-minute", kRequests, Part::remaining},
    {"x-ratelimit-limit-tokens-minute", kTokens, Part::limit},
    {"x-ratelimit-remaining-tokens-minute", kTokens, Part::remaining},
    {"ratelimitbysize-limit", kTokens, Part::limit},
    {"ratelimitbysize-remaining", kTokens, Part::remaining},
    {"x-ratelimitbysize-limit-minute", kTokens, Part::limit},
    {"x-ratelimitbysize-remaining-minute", kTokens, Part::remaining},
});

constexpr auto kOpenrouter = std::to_array<NameRule>({
    {"x-ratelimit-limit", kRequests, Part::limit},
    {"x-ratelimit-remaining", kRequests, Part::remaining},
    {"x-ratelimit-reset", kRequests, Part::reset},
});

// What remains is counted within one second, which says nothing about a minute: only limits are
// read.
constexpr auto kTogether = std::to_array<NameRule>({
    {"x-ratelimit-limit", kRequests, Part::limit},
    {"x-tokenlimit-limit", kTokens, Part::limit},
});

constexpr auto kFireworks = std::to_array<NameRule>({
    {"x-ratelimit-limit-requests", kRequests, Part::limit},
    {"x-ratelimit-remaining-requests", kRequests, Part::remaining},
    {"x-ratelimit-limit-tokens-prompt", kInputTokens, Part::limit},
    {"x-ratelimit-remaining-tokens-prompt", kInputTokens, Part::remaining},
    {"x-ratelimit-limit-tokens-generated", kOutputTokens, Part::limit},
    {"x-ratelimit-remaining-tokens-generated", kOutputTokens, Part::remaining},
});

std::span<const NameRule> rules_of(RateLimitFamily family) {
  switch (family) {
    case RateLimitFamily::none:
      return {};
    case RateLimitFamily::openai:
      return kOpenai;
    case RateLimitFamily::groq:
      return kGroq;
    case RateLimitFamily::anthropic:
      return kAnthropic;
    case RateLimitFamily::mistral:
      return kMistral;
    case RateLimitFamily::openrouter:
      return kOpenrouter;
    case RateLimitFamily::together:
      return kTogether;
    case RateLimitFamily::fireworks:
      return kFireworks;
  }
  return {};
}

/// `name` in any case against a lower-case `word` of equal length.
bool same_name(std::string_view name, std::string_view word) {
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = name[i];
    const char lower = (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
    if (lower != word[i]) return false;
  }
  return true;
}

/// Whole numbers; a fraction (`-1`, `99.5`) is cut off, and absurd numbers are ignored.
std::optional<std::int64_t> parse_count(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  const auto rest = text.substr(static_cast<std::size_t>(end - text.data()));
  if (!rest.empty() && rest.front() != '.' && rest.front() != ',' && rest.front() != ';') {
    return std::nullopt;
  }
  return std::max<std::int64_t>(value, 0);
}

std::optional<Duration> parse_reset(std::string_view text, RateLimitFamily family, WallTime now) {
  if (family == RateLimitFamily::anthropic) {
    const auto time = parse_rfc3339(text);
    if (!time) return std::nullopt;
    return std::max(*time - now, Duration::zero());
  }
  if (family == RateLimitFamily::openrouter) {
    const auto milliseconds = parse_count(text);
    constexpr std::int64_t kYear2200 = 7'258'118'400'000;
    if (!milliseconds || *milliseconds > kYear2200) return std::nullopt;
    const auto time = from_unix_nanos(*milliseconds * 1'000'000);
    return std::max(time - now, Duration::zero());
  }
  return parse_go_duration(text);
}

template <typename T>
void keep_smaller(std::optional<T>& slot, const std::optional<T>& value) {
  if (value && (!slot || *value < *slot)) slot = value;
}

void apply(const NameRule& rule, std::string_view value, RateLimitFamily family, WallTime now,
           RateLimitHints& limits) {
  auto& bucket = limits.*rule.bucket;
  switch (rule.part) {
    case Part::limit: {
      auto count = parse_count(value);
      constexpr std::int64_t kAbsurd = 1'000'000'000'000'000;
      if (count && *count > kAbsurd) count.reset();
      // Together's limits are per second.
      if (count && family == RateLimitFamily::together) *count *= 60;
      keep_smaller(bucket.limit, count);
      break;
    }
    case Part::remaining:
      keep_smaller(bucket.remaining, parse_count(value));
      break;
    case Part::reset: {
      const auto reset = parse_reset(value, family, now);
      if (reset && (!bucket.reset || *reset > *bucket.reset)) bucket.reset = reset;
      break;
    }
  }
}

bool said(const RateLimitBucketHint& bucket) {
  return bucket.limit || bucket.remaining || bucket.reset;
}

void finish(RateLimitFamily family, RateLimitHints& limits) {
  // OpenRouter's free models have a limit per minute and one per day under the same names; the time
  // to the reset tells them apart.
  if (family == RateLimitFamily::openrouter &&
      limits.requests_per_minute.reset.value_or(Duration::zero()) > std::chrono::minutes(5)) {
    limits.requests_per_day = limits.requests_per_minute;
    limits.requests_per_minute = {};
  }
  if (said(limits.input_tokens_per_minute) || said(limits.output_tokens_per_minute)) {
    limits.tokens_per_minute = {};
  }
  limits.any = said(limits.requests_per_minute) || said(limits.requests_per_day) ||
               said(limits.tokens_per_minute) || said(limits.input_tokens_per_minute) ||
               said(limits.output_tokens_per_minute);
}

void take_general(std::string_view name, std::string_view value, ReplyHeaders& found) {
  struct Slot {
    std::string_view name;
    std::string_view ReplyHeaders::*member;
  };
  constexpr std::array<Slot, 9> kSlots{{{"x-request-id", &ReplyHeaders::request_id},
                                        {"request-id", &ReplyHeaders::request_id},
                                        {"apim-request-id", &ReplyHeaders::request_id},
                                        {"x-groq-id", &ReplyHeaders::request_id},
                                        {"x-generation-id", &ReplyHeaders::request_id},
                                        {"retry-after", &ReplyHeaders::retry_after},
                                        {"retry-after-ms", &ReplyHeaders::retry_after_ms},
                                        {"x-should-retry", &ReplyHeaders::should_retry},
                                        {"location", &ReplyHeaders::location}}};
  for (const auto& slot : kSlots) {
    if (slot.name.size() != name.size() || !same_name(name, slot.name)) continue;
    if ((found.*slot.member).empty()) found.*slot.member = value;
    return;
  }
}

}  // namespace

ReplyHeaders read_reply_headers(std::string_view headers, RateLimitFamily family, WallTime now,
                                RateLimitHints& limits) {
  ReplyHeaders found;
  const auto rules = rules_of(family);
  while (!headers.empty()) {
    const auto end = headers.find('\n');
    const auto line = headers.substr(0, end);
    headers.remove_prefix(end == std::string_view::npos ? headers.size() : end + 1);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon < 8) continue;
    const auto name = line.substr(0, colon);
    const auto value = trim(line.substr(colon + 1));
    if (value.empty()) continue;
    bool matched = false;
    for (const auto& rule : rules) {
      if (rule.name.size() != colon || !same_name(name, rule.name)) continue;
      apply(rule, value, family, now, limits);
      matched = true;
      break;
    }
    if (!matched) take_general(name, value, found);
  }
  finish(family, limits);
  return found;
}

}  // namespace llmbatch
