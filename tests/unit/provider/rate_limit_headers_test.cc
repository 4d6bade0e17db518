#include "llmbatch/provider/rate_limit_headers.h"

#include "support.h"

namespace llmbatch {
namespace {

using namespace std::chrono_literals;

const WallTime kNow = *parse_rfc3339("2026-11-23T10:00:02Z");

RateLimitHints hints_of(RateLimitFamily family, std::string_view headers) {
  RateLimitHints hints;
  read_reply_headers(headers, family, kNow, hints);
  return hints;
}

std::optional<Duration> retry_after(std::string_view headers) {
  RateLimitHints hints;
  return retry_after_hint(read_reply_headers(headers, RateLimitFamily::none, kNow, hints), kNow);
}

TEST(GoDuration, TakesEveryShape) {
  const std::vector<std::pair<const char*, Duration>> cases{{"6ms", 6ms},
                                                            {"1s", 1s},
                                                            {"8.64s", 8640ms},
                                                            {"1m30.5s", 90500ms},
                                                            {"6m0s", 6min},
                                                            {"1h2m3s", 3723s},
                                                            {"0s", 0s},
                                                            {"2d", 48h},
                                                            {"2m59.56s", 179560ms},
                                                            {"350us", 350us},
                                                            {"350\xC2\xB5s", 350us},
                                                            {"12ns", 12ns},
                                                            {"1h0m0s", 1h},
                                                            {" 7.66s ", 7660ms},
                                                            {"15", 15s}};
  for (const auto& [text, expected] : cases) {
    const auto parsed = parse_go_duration(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_LE(std::chrono::abs(*parsed - expected), 1us) << text;
  }
  for (const char* text : {"", "s", "1x", "1m30", "abc", "-1s", "1s 2", ".", "nan", "inf"}) {
    EXPECT_FALSE(parse_go_duration(text)) << text;
  }
}

TEST(RateLimitHeaders, OpenaiCountsPerMinute) {
  const auto hints = hints_of(RateLimitFamily::openai,
                              "X-RateLimit-Limit-Requests: 10000\r\n"
                              "x-ratelimit-remaining-requests: 9999\r\n"
                              "x-ratelimit-reset-requests: 6ms\r\n"
                              "x-ratelimit-limit-tokens: 200000\r\n"
                              "x-ratelimit-remaining-tokens: 199000\r\n"
                              "x-ratelimit-limit-project-tokens: 50000\r\n"
                              "x-ratelimit-remaining-project-tokens: 10\r\n");
  EXPECT_TRUE(hints.any);
  EXPECT_EQ(hints.requests_per_minute.limit, 10000);
  EXPECT_EQ(hints.requests_per_minute.remaining, 9999);
  EXPECT_EQ(hints.requests_per_minute.reset, Duration(6ms));
  EXPECT_EQ(hints.tokens_per_minute.limit, 50000);
  EXPECT_EQ(hints.tokens_per_minute.remaining, 10);
  EXPECT_FALSE(hints.requests_per_day.limit);
}

TEST(RateLimitHeaders, GroqCountsRequestsPerDay) {
  const auto hints = hints_of(RateLimitFamily::groq,
                              "x-ratelimit-limit-requests: 14400\r\n"
                              "x-ratelimit-limit-tokens: 18000\r\n");
  EXPECT_EQ(hints.requests_per_day.limit, 14400);
  EXPECT_FALSE(hints.requests_per_minute.limit);
  EXPECT_EQ(hints.tokens_per_minute.limit, 18000);
}

TEST(RateLimitHeaders, AnthropicResetsAreTimes) {
  const auto hints = hints_of(RateLimitFamily::anthropic,
                              "anthropic-ratelimit-requests-limit: 1000\r\n"
                              "anthropic-ratelimit-requests-reset: 2026-11-23T10:00:07Z\r\n"
                              "anthropic-ratelimit-input-tokens-limit: 2000000\r\n"
                              "anthropic-ratelimit-output-tokens-remaining: 0\r\n"
                              "anthropic-ratelimit-output-tokens-reset: 2026-11-23T09:00:00Z\r\n"
                              "anthropic-ratelimit-tokens-limit: 5\r\n");
  EXPECT_EQ(hints.requests_per_minute.reset, Duration(5s));
  EXPECT_EQ(hints.input_tokens_per_minute.limit, 2000000);
  EXPECT_EQ(hints.output_tokens_per_minute.remaining, 0);
  EXPECT_EQ(hints.output_tokens_per_minute.reset, Duration(0s));
  EXPECT_FALSE(hints.tokens_per_minute.limit) << "repeats the tighter of the other two";
}

TEST(RateLimitHeaders, OtherFamilies) {
  EXPECT_EQ(hints_of(RateLimitFamily::mistral, "x-ratelimit-limit-req-minute: 60\r\n")
                .requests_per_minute.limit,
            60);
  EXPECT_EQ(
      hints_of(RateLimitFamily::together, "x-ratelimit-limit: 10\n").requests_per_minute.limit,
      600);
  EXPECT_EQ(hints_of(RateLimitFamily::fireworks, "x-ratelimit-limit-tokens-prompt: 5\r\n")
                .input_tokens_per_minute.limit,
            5);
  const auto minute = hints_of(RateLimitFamily::openrouter,
                               "X-RateLimit-Limit: 20\r\nX-RateLimit-Reset: 1795428010000\r\n");
  EXPECT_EQ(minute.requests_per_minute.limit, 20);
  const auto day = hints_of(RateLimitFamily::openrouter,
                            "X-RateLimit-Limit: 50\r\nX-RateLimit-Reset: 1795478400000\r\n");
  EXPECT_EQ(day.requests_per_day.limit, 50);
  EXPECT_FALSE(day.requests_per_minute.limit);
  EXPECT_FALSE(hints_of(RateLimitFamily::none, "x-ratelimit-limit-requests: 1\r\n").any);
  EXPECT_FALSE(hints_of(RateLimitFamily::openai, "x-ratelimit-limit-requests: many\r\n").any);
}

TEST(RetryAfter, TakesEveryForm) {
  EXPECT_EQ(retry_after("retry-after: 7\r\n"), Duration(7s));
  EXPECT_EQ(retry_after("Retry-After: 0.5\r\n"), Duration(500ms));
  EXPECT_EQ(retry_after("retry-after: 30\r\nRetry-After-Ms: 1500.0\r\n"), Duration(1500ms));
  EXPECT_EQ(retry_after("Retry-After: Mon, 23 Nov 2026 10:00:12 GMT\r\n"), Duration(10s));
  for (const char* none : {"", "retry-after: 0\r\n", "retry-after: -5\r\n", "retry-after: soon\r\n",
                           "Retry-After: Mon, 23 Nov 2026 09:00:00 GMT\r\n",
                           "retry-after-ms: 0\r\n", "retry-after:\r\n"}) {
    EXPECT_FALSE(retry_after(none)) << none;
  }
}

TEST(RetryHintInText, ReadsThePhrasesOfTheProviders) {
  EXPECT_EQ(retry_hint_in_text("Rate limit reached. Please try again in 1.2s. Visit"),
            Duration(1200ms));
  EXPECT_EQ(retry_hint_in_text("Please try again in 350ms."), Duration(350ms));
  EXPECT_EQ(retry_hint_in_text("Please try again after .517ns"), std::nullopt);
  EXPECT_EQ(retry_hint_in_text("Please try again in 6m0s."), Duration(6min));
  EXPECT_EQ(retry_hint_in_text("Please retry after 37 seconds."), Duration(37s));
  EXPECT_EQ(retry_hint_in_text("please retry after 1 minute"), Duration(1min));
  EXPECT_EQ(retry_hint_in_text("Please retry in 36.9s."), Duration(36900ms));
  EXPECT_FALSE(retry_hint_in_text("Please try again in a while"));
  EXPECT_FALSE(retry_hint_in_text("try again in 0s"));
}

}  // namespace
}  // namespace llmbatch
