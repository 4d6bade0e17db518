// RateLimiter: every limit of an account together: requests and tokens per minute, requests per
// day, pauses that a server asked for. One for all items of a run; retries pass through it like
// first tries. Thread rule: one thread. Pure: every function takes the time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "llmbatch/model/outcome.h"
#include "llmbatch/policy/token_bucket.h"

namespace llmbatch {

/// Limits as the user gave them; absent: not limited unless the provider's headers say so.
struct RateLimits {
  std::optional<std::int64_t> requests_per_minute;
  std::optional<std::int64_t> tokens_per_minute;
  std::optional<std::int64_t> input_tokens_per_minute;
  std::optional<std::int64_t> output_tokens_per_minute;
  std::optional<std::int64_t> requests_per_day;
};

/// What one call is expected to use.
struct TokenReservation {
  TokenCount input = 0;
  TokenCount output = 0;
};

class RateLimiter {
 public:
  RateLimiter(RateLimits limits, SteadyTime now);

  struct Answer {
    SteadyTime ready_at;      ///< at or before now: may start
    std::string_view reason;  ///< the limit that decides: `rpm limit`, `tpm limit`, `retry-after`
    bool never = false;       ///< larger than a whole limit: waiting is pointless
  };

  /// When a call of this size may start.
  Answer ask(const TokenReservation& reservation, SteadyTime now);
  /// Cuts an expectation to what a whole minute allows: such a call starts with a full minute to
  /// itself, and what it uses beyond is paid back afterwards.
  TokenReservation within_limits(TokenReservation reservation) const;
  /// Books a call that starts now.
  void take(const TokenReservation& reservation, SteadyTime now, WallTime wall_now);
  /// Replaces a reservation of `then` by what was really used.
  void settle(const TokenReservation& reservation, const Usage& usage, SteadyTime then,
              SteadyTime now);
  /// Limits that a provider reported: they tighten the user's, and set what the user left open.
  void apply(const RateLimitHints& hints, SteadyTime now, WallTime wall_now);
  /// Nothing starts before `time`.
  void pause_until(SteadyTime time, std::string_view reason);

  /// Set while the daily count is used up: when it has room again.
  std::optional<WallTime> day_exhausted_until(WallTime wall_now);

  /// Absent without --rpd.
  std::optional<std::int64_t> requests_left_today(WallTime wall_now);

  bool limits_anything() const;
  bool limits_tokens() const;
  std::optional<std::int64_t> requests_per_minute() const;

  /// The state for the database. `valid_for`: how long calls may go on before the next state is
  /// stored; `unknown_calls`: how many may start until then. A later run assumes that all of it
  /// happened, so a state that is stored at the end of a run has none of either.
  std::string serialize(SteadyTime now, WallTime wall_now, Duration valid_for,
                        std::int64_t unknown_calls);
  /// Takes up a stored state; false and unchanged when it is not one. A stored time in the future
  /// (the wall clock jumped back) is taken as now.
  bool restore(std::string_view state, SteadyTime now, WallTime wall_now);

 private:
  struct TokenLimit {
    std::string_view reason;
    std::optional<std::int64_t> user_limit;
    std::optional<PacedBucket> bucket;
    WindowLog log;
  };
  static TokenCount amount_of(int index, TokenCount input, TokenCount output);
  static void tighten(std::optional<PacedBucket>& bucket, std::optional<std::int64_t> user_limit,
                      const RateLimitBucketHint& hint, SteadyTime now);
  void expire_day(WallTime wall_now);

  RateLimits limits_;
  std::optional<PacedBucket> requests_;
  std::array<TokenLimit, 3> tokens_;  ///< both together, input, output
  SteadyTime paused_until_{};
  std::string pause_reason_;
  std::map<std::int64_t, std::int64_t> day_;  ///< calls by slice of five minutes of wall time
  std::int64_t day_count_ = 0;
  std::optional<WallTime> day_blocked_until_;  ///< the provider says that the day is used up
};

}  // namespace llmbatch
