#include "llmbatch/policy/token_estimate.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace llmbatch {
namespace {

constexpr double kTokensPerByte = 0.25;
/// No text has a word as long as this.
constexpr std::size_t kEncodedBytes = 512;

TokenCount tokens_of(double per_byte, std::size_t bytes) {
  return static_cast<TokenCount>(std::ceil(per_byte * static_cast<double>(bytes)));
}

bool is_base64(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/' || c == '=' || c == '-' || c == '_';
}

/// Bytes outside long runs of base64; an escape like \u00e4 counts as one.
std::size_t text_bytes(std::string_view body) {
  std::size_t bytes = 0;
  std::size_t run = 0;
  for (std::size_t at = 0; at < body.size(); ++at) {
    if (is_base64(body[at])) {
      ++run;
      continue;
    }
    if (run < kEncodedBytes) bytes += run;
    run = 0;
    ++bytes;
    if (body[at] == '\\' && at + 1 < body.size())
      at += body[at + 1] == 'u' ? std::size_t{5} : std::size_t{1};
  }
  return run < kEncodedBytes ? bytes + run : bytes;
}

}  // namespace

TokenReservation TokenEstimate::at_most(const Request& request) {
  return {tokens_of(kTokensPerByte, request.body.size()), 1};
}

TokenReservation TokenEstimate::least(const Request& request) const {
  return {tokens_of(std::min(kTokensPerByte, tokens_per_byte_), text_bytes(request.body)), 1};
}

TokenReservation TokenEstimate::reserve(const Request& request) const {
  const double output = request.output_cap > 0
                            ? std::min(mean_output_, static_cast<double>(request.output_cap))
                            : mean_output_;
  return {tokens_of(tokens_per_byte_, request.body.size()),
          static_cast<TokenCount>(std::ceil(output))};
}

void TokenEstimate::learn(const Request& request, const Usage& usage) {
  if (usage.estimated || request.body.empty()) return;
  // The first answers replace the guess quickly, later ones move it slowly.
  ++samples_;
  const double weight = std::max(1.0 / static_cast<double>(samples_), 0.02);
  const double ratio = static_cast<double>(usage.input) / static_cast<double>(request.body.size());
  tokens_per_byte_ += weight * (ratio - tokens_per_byte_);
  mean_output_ += weight * (static_cast<double>(usage.output) - mean_output_);
}

}  // namespace llmbatch
