// RetryPolicy: decides what follows an outcome (README, Errors and retries). Pure; no clock, no
// randomness of its own. Thread rule: const.
#pragma once

#include <cstdint>

#include "llmbatch/base/clock.h"
#include "llmbatch/model/item.h"
#include "llmbatch/model/outcome.h"

namespace llmbatch {

struct RetrySettings {
  std::uint32_t max_retries = 5;
  Duration initial_backoff = std::chrono::seconds(1);
  Duration backoff_cap = std::chrono::seconds(60);
  bool retry_truncated = false;
};

/// How often an item was tried in this run, by kind of answer.
struct RetryHistory {
  std::uint32_t retries = 0;  ///< counted against max_retries
  std::uint32_t timeouts = 0;
  std::uint32_t malformed = 0;
  std::uint32_t truncated = 0;
  std::uint32_t rate_limited = 0;  ///< free of charge, but they lengthen the backoff
};

enum class NextStep : std::uint8_t { finish, retry, pause_run };

struct Decision {
  NextStep step = NextStep::finish;
  ItemState state = ItemState::pending;  ///< for finish
  Duration delay{};                      ///< for retry, from now
  /// For retry after a rate-limit answer: the pause that the shared limiter takes as well.
  Duration shared_pause{};
};

class RetryPolicy {
 public:
  explicit RetryPolicy(RetrySettings settings) : settings_(settings) {}

  /// `jitter` is uniform in [0,1); `own_model`: the item names a model of its own;
  /// `provider_alive`: some call was answered otherwise since this item's first rate-limit answer.
  /// Updates `history`.
  Decision decide(const Outcome& outcome, RetryHistory& history, bool own_model,
                  bool provider_alive, double jitter) const;

 private:
  Duration backoff(const RetryHistory& history, double jitter) const;
  RetrySettings settings_;
};

}  // namespace llmbatch
