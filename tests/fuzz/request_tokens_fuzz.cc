// Any bytes as a request body and as a text: no crash, no count below zero, and never more tokens
// than bytes (but for the frame of each message).
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "llmbatch/policy/token_count.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto bytes = static_cast<llmbatch::TokenCount>(size);
  const auto tokens = llmbatch::count_tokens(text);
  if (tokens < 0 || tokens > bytes || (tokens == 0) != (size == 0)) std::abort();
  const auto of_request = llmbatch::count_request_tokens(text);
  if (of_request < 0 ||
      of_request > bytes * (1 + llmbatch::kTokensPerMessage) + llmbatch::kTokensPerRequest) {
    std::abort();
  }
  return 0;
}
