#include "llmbatch/policy/token_estimate.h"

#include <algorithm>
#include <cmath>

namespace llmbatch {
namespace {

constexpr double kTokensPerByte = 0.25;

}  // namespace

TokenReservation TokenEstimate::least(const Request& request) {
  return {
      static_cast<TokenCount>(std::ceil(kTokensPerByte * static_cast<double>(request.body.size()))),
      1};
}

TokenReservation TokenEstimate::reserve(const Request& request) const {
  const double output = request.output_cap > 0
                            ? std::min(mean_output_, static_cast<double>(request.output_cap))
                            : mean_output_;
  return {static_cast<TokenCount>(
              std::ceil(tokens_per_byte_ * static_cast<double>(request.body.size()))),
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
