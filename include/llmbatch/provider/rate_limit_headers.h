// Rate-limit headers and retry hints. Pure functions of bytes; safe from any thread. Sources: the
// rate-limit pages of the providers' API documentation, RFC 9110 section 10.2.3 (Retry-After).
#pragma once

#include <optional>
#include <string_view>

#include "llmbatch/base/clock.h"
#include "llmbatch/model/outcome.h"
#include "llmbatch/provider/profile.h"

namespace llmbatch {

/// The headers of a reply that matter here, found in one pass. Views point into the header block.
struct ReplyHeaders {
  std::string_view request_id;
  std::string_view retry_after;
  std::string_view retry_after_ms;
  std::string_view should_retry;
  std::string_view location;
};
/// Also fills `limits` from the names of `family`; `now` is the wall time of the reply, against
/// which absolute resets are measured.
ReplyHeaders read_reply_headers(std::string_view headers, RateLimitFamily family, WallTime now,
                                RateLimitHints& limits);

/// `6ms`, `8.64s`, `1m30.5s`, `1h2m3s`, `2d`, a bare number of seconds; absent for anything else.
std::optional<Duration> parse_go_duration(std::string_view text);

/// retry-after-ms before retry-after (seconds, or an HTTP date relative to `now`). Zero, negative
/// and unreadable hints are absent: the caller's backoff decides then.
std::optional<Duration> retry_after_hint(const ReplyHeaders& headers, WallTime now);

/// A hint in an error text: `try again in 1.2s`, `retry after 37 seconds`, `retry in 36.9s`.
std::optional<Duration> retry_hint_in_text(std::string_view message);

}  // namespace llmbatch
