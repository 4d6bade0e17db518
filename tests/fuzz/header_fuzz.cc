// Any bytes as a header block, as a duration and as an error text: no crash, no hint that is not
// positive.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "llmbatch/provider/rate_limit_headers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace llmbatch;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const WallTime now = from_unix_nanos(1'795'000'000'000'000'000);
  for (const auto family :
       {RateLimitFamily::none, RateLimitFamily::openai, RateLimitFamily::groq,
        RateLimitFamily::anthropic, RateLimitFamily::mistral, RateLimitFamily::openrouter,
        RateLimitFamily::together, RateLimitFamily::fireworks}) {
    RateLimitHints limits;
    const auto headers = read_reply_headers(text, family, now, limits);
    const auto hint = retry_after_hint(headers, now);
    if (hint && *hint <= Duration::zero()) std::abort();
    if (limits.requests_per_minute.limit.value_or(0) < 0) std::abort();
  }
  const auto duration = parse_go_duration(text);
  if (duration && *duration < Duration::zero()) std::abort();
  const auto hint = retry_hint_in_text(text);
  if (hint && *hint <= Duration::zero()) std::abort();
  return 0;
}
