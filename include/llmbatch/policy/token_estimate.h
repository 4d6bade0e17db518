// TokenEstimate: what a call will probably use, before it is made. Input from the tokens that its
// body counts, corrected by the usage that comes back; output from the mean of the answers so far.
// Thread rule: one thread. Pure.
#pragma once

#include "llmbatch/model/item.h"
#include "llmbatch/model/usage_means.h"
#include "llmbatch/policy/rate_limiter.h"

namespace llmbatch {

class TokenEstimate {
 public:
  /// Goes on from what earlier runs of the job learnt.
  explicit TokenEstimate(const UsageMeans& learnt = {}) : learnt_(learnt) {}

  /// What a call will probably use, going by the answers so far. `counted`: input tokens, see
  /// count_request_tokens(); `output_cap`: 0 for none.
  TokenReservation reserve(TokenCount counted, TokenCount output_cap) const;
  /// The same for a body that was not counted, by its length.
  TokenReservation reserve_uncounted(const Request& request) const;
  /// The least that such a request uses, whatever others did.
  TokenReservation least(TokenCount counted) const;
  /// An upper bound of least() that costs nothing.
  static TokenReservation at_most(const Request& request);

  /// True when the next answer should be learnt from although its input was not counted yet: always
  /// at first, then for one in 64.
  bool wants_input() const;
  /// Learns how the count of an input relates to what was reported.
  void learn_input(TokenCount counted, const Usage& usage);
  void learn_output(const Usage& usage);
  const UsageMeans& learnt() const { return learnt_; }

 private:
  UsageMeans learnt_;
};

}  // namespace llmbatch
