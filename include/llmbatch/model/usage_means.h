// UsageMeans: what the usage of answers taught about the next ones. Smoothed means: the first
// answers weigh much, later ones little. Stored with every commit. Thread rule: plain values.
#pragma once

#include <cstdint>

namespace llmbatch {

struct UsageMeans {
  double counted_input = 0;   ///< input tokens as they were counted before the call
  double reported_input = 0;  ///< of the same calls, as the provider reported them
  std::int64_t input_samples = 0;
  double output = 0;  ///< reported output tokens
  std::int64_t output_samples = 0;

  /// What a count is to be multiplied by; 1 when nothing is known.
  double input_ratio() const {
    return counted_input > 0 && reported_input > 0 ? reported_input / counted_input : 1;
  }
  friend bool operator==(const UsageMeans&, const UsageMeans&) = default;
};

}  // namespace llmbatch
