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
  /// The least that this request uses, whatever others did: its text without what is encoded in
  /// base64 (pictures and files cost by their size in pixels and pages), at the lower of the learnt
  /// and the usual ratio. Reads the whole body.
  TokenReservation least(const Request& request) const;
  /// An upper bound of least() that costs nothing.
  static TokenReservation at_most(const Request& request);
  void learn(const Request& request, const Usage& usage);

 private:
  double tokens_per_byte_ = 0.25;
  double mean_output_ = 256;
  std::int64_t samples_ = 0;
};

}  // namespace llmbatch
