// TokenEstimate: what a call will probably use, before it is made. Input from the bytes of the
// body, corrected by the usage that comes back; output from the mean of the answers so far. Thread
// rule: one thread. Pure.
#pragma once

#include <cstdint>

#include "llmbatch/model/item.h"
#include "llmbatch/policy/rate_limiter.h"

namespace llmbatch {

class TokenEstimate {
 public:
  /// What the call will probably use, going by the answers so far.
  TokenReservation reserve(const Request& request) const;
  /// What is known of this request alone: its size. Answers to others cannot make it larger.
  static TokenReservation least(const Request& request);
  void learn(const Request& request, const Usage& usage);

 private:
  double tokens_per_byte_ = 0.25;
  double mean_output_ = 256;
  std::int64_t samples_ = 0;
};

}  // namespace llmbatch
