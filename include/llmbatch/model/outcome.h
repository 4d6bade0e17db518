// What one HTTP call led to, in the words of the README (Errors and retries).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "llmbatch/base/clock.h"
#include "llmbatch/model/usage.h"

namespace llmbatch {

/// Numbers are stored in the database: never renumber. Names appear as `error.class` in exports.
enum class ErrorClass : std::uint8_t {
  none = 0,
  rate_limited = 1,      ///< 429, 498: does not use up retries while others are answered
  overloaded = 2,        ///< 503, 529
  server_error = 3,      ///< 500, 502, 504, 520-524, 409 and 200 with a provider-side error inside
  timeout = 4,           ///< our own timeout: retried once
  connection = 5,        ///< DNS, connect, TLS, reset, cut before the end
  request_timeout = 6,   ///< HTTP 408
  content_policy = 7,    ///< 400 or 200 form: item is `filtered`
  malformed = 8,         ///< empty, cut, not JSON, no completion: one more try, then `flagged`
  truncated = 9,         ///< stopped at the token cap: `flagged`
  invalid_request = 10,  ///< other 4xx: `failed`
  context_length = 11,   ///< larger than the context window: `failed`
  too_large = 12,        ///< larger than the rate limit, or than the server takes: `failed`
  model_not_found = 13,  ///< job's own model: the run pauses; an item's own: `failed`
  quota_exhausted = 14,  ///< billing, spend limit, credits: the run pauses
  authentication = 15,   ///< bad key: the run pauses
  permission = 16,       ///< forbidden, region, suspended: the run pauses
  response_too_large = 17,  ///< over --max-response-size: `failed`
  invalid_input = 18,       ///< the input line itself: item is `invalid`
  interrupted = 19,         ///< aborted by the user; the item stays pending
  check_failed = 20,        ///< answer fails its schema or check: like malformed
};

std::string_view to_string(ErrorClass error);
std::optional<ErrorClass> parse_error_class(std::string_view name);

/// What a provider's headers or body say about its limits; every part may be absent.
/// Source: the providers' API references on rate-limit headers.
struct RateLimitBucketHint {
  std::optional<std::int64_t> limit;
  std::optional<std::int64_t> remaining;
  std::optional<Duration> reset;  ///< until the bucket is full again, from the time of the reply
};

struct RateLimitHints {
  RateLimitBucketHint requests_per_minute;
  RateLimitBucketHint requests_per_day;
  RateLimitBucketHint tokens_per_minute;
  RateLimitBucketHint input_tokens_per_minute;
  RateLimitBucketHint output_tokens_per_minute;
  bool any = false;  ///< false: nothing was said
};

/// A model's answer, as far as there is one.
struct Completion {
  std::string output;           ///< the text; for embeddings the raw JSON of `data`
  bool output_is_json = false;  ///< `output` is JSON text, not a plain string
  std::string model;            ///< the model that answered
  std::string finish_reason;    ///< the provider's own word
  Usage usage;
  bool has_usage = false;
};

/// The classified result of one call.
struct Outcome {
  ErrorClass error = ErrorClass::none;
  int http_status = 0;                  ///< 0: no HTTP answer
  std::string message;                  ///< the provider's or transport's own words, may be empty
  std::string code;                     ///< the provider's error code or type
  std::string request_id;               ///< of the provider
  std::optional<Duration> retry_after;  ///< the server's hint
  /// x-should-retry: false forbids a retry, true demands one.
  std::optional<bool> should_retry;
  RateLimitHints limits;
  Completion completion;  ///< filled as far as possible, also for filtered and flagged answers
};

}  // namespace llmbatch
