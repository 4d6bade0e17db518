// Rate-limit and retry headers in the forms of the simulated APIs. Pure functions.
// Source: the rate-limit pages of OpenAI, Azure, Anthropic, Groq and Mistral.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "errors.h"
#include "rate_limits.h"

namespace llmbatch::sim {

using Headers = std::vector<std::pair<std::string_view, std::string>>;

/// `6ms`, `8.64s`, `1m30.5s`, `1h0m0s`: a duration as Go prints it, to the millisecond.
std::string format_go_duration(Duration duration);

/// `Mon, 23 Nov 2026 02:14:07 GMT` (RFC 9110, IMF-fixdate).
std::string format_http_date(WallTime time);

void append_limit_headers(Headers& headers, Dialect dialect, HeaderStyle style,
                          const LimitReport& report, WallTime now);

/// When to come back after `wait`, the way the API (or `hint`) says it.
void append_retry_headers(Headers& headers, Dialect dialect, RetryHint hint, Duration wait,
                          WallTime now);

}  // namespace llmbatch::sim
