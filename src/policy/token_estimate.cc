#include "llmbatch/policy/token_estimate.h"

#include <algorithm>
#include <cmath>

namespace llmbatch {
namespace {

/// Before anything is known of a body and its answer.
constexpr double kTokensPerByte = 0.25;
constexpr double kOutput = 256;
/// No model's tokens are so much longer than those that are counted.
constexpr double kLeastRatio = 0.75;
constexpr std::int64_t kCountedFirst = 256;
constexpr std::int64_t kCountedOneIn = 64;
/// Weight of a late answer.
constexpr double kLateWeight = 0.02;

TokenCount whole(double tokens) { return std::llround(tokens); }

/// The first values replace the guess quickly, later ones move it slowly.
void move(double& mean, double value, std::int64_t samples) {
  mean += std::max(1.0 / static_cast<double>(samples), kLateWeight) * (value - mean);
}

double expected_output(const UsageMeans& learnt, TokenCount cap) {
  const double output = learnt.output_samples > 0 ? learnt.output : kOutput;
  return cap > 0 ? std::min(output, static_cast<double>(cap)) : output;
}

}  // namespace

TokenReservation TokenEstimate::at_most(const Request& request) {
  return {static_cast<TokenCount>(request.body.size()), 1};
}

TokenReservation TokenEstimate::least(TokenCount counted) const {
  const double ratio = std::min(kLeastRatio, learnt_.input_ratio());
  return {whole(static_cast<double>(counted) * ratio), 1};
}

TokenReservation TokenEstimate::reserve(TokenCount counted, TokenCount output_cap) const {
  return {whole(static_cast<double>(counted) * learnt_.input_ratio()),
          whole(expected_output(learnt_, output_cap))};
}

TokenReservation TokenEstimate::reserve_uncounted(const Request& request) const {
  return {whole(static_cast<double>(request.body.size()) * kTokensPerByte),
          whole(expected_output(learnt_, request.output_cap))};
}

bool TokenEstimate::wants_input() const {
  return learnt_.input_samples < kCountedFirst || learnt_.output_samples % kCountedOneIn == 0;
}

void TokenEstimate::learn_input(TokenCount counted, const Usage& usage) {
  if (usage.estimated || usage.input <= 0 || counted <= 0) return;
  ++learnt_.input_samples;
  move(learnt_.counted_input, static_cast<double>(counted), learnt_.input_samples);
  move(learnt_.reported_input, static_cast<double>(usage.input), learnt_.input_samples);
}

void TokenEstimate::learn_output(const Usage& usage) {
  if (usage.estimated) return;
  ++learnt_.output_samples;
  move(learnt_.output, static_cast<double>(usage.output), learnt_.output_samples);
}

}  // namespace llmbatch
