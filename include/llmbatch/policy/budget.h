// Budget: keeps what a job costs below --max-cost. What is spent, plus what calls in flight may
// cost, plus what calls may have cost whose answers were lost, never passes the limit. So that this
// holds after a kill as well, no call starts beyond a ceiling that is durable: the next run takes
// what lies between the stored cost and that ceiling as spent. Thread rule: one thread. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "llmbatch/base/clock.h"
#include "llmbatch/model/item.h"
#include "llmbatch/model/money.h"
#include "llmbatch/policy/pricing.h"

namespace llmbatch {

class Budget {
 public:
  /// Calls that may be in flight before the first usage tells how far the estimate is off.
  static constexpr std::size_t kBlindCalls = 4;

  /// `spent`: by the job so far; `held`: what earlier runs may have spent beside it. Without a
  /// limit nothing is held back.
  Budget(std::optional<Money> limit, Money spent, Money held);

  enum class Answer : std::uint8_t {
    start,
    wait_for_answers,  ///< what is in flight may turn out cheaper
    wait_for_store,    ///< the ceiling has to be raised first
    over,              ///< does not fit any more
  };
  /// May a call start that costs at most `amount`?
  Answer ask(Money amount, std::size_t calls_in_flight);
  void take(Money amount);
  /// The end of a call: its cost, where one is known. `maybe_billed`: it was sent, and what became
  /// of it is not known; its amount stays held.
  void settle(Money amount, std::optional<Money> cost, bool maybe_billed);
  /// Input tokens of an answer, estimated and reported.
  void learn(TokenCount estimated, TokenCount reported);
  /// The estimate times the largest ratio of reported to estimated input so far, at least 1.
  TokenCount corrected(TokenCount estimated) const;

  bool limited() const { return limit_.has_value(); }
  Money limit() const { return limit_.value_or(Money()); }
  Money spent() const { return spent_; }
  Money held() const { return held_; }
  /// True when something that costs at most `amount` stays within the limit; for what is made
  /// durable before it is sent.
  bool fits(Money amount) const { return !limit_ || committed() + amount <= *limit_; }
  /// What the job can have cost at most, with all that is reserved.
  Money at_most() const { return committed(); }
  /// What the job has cost once nothing is in flight any more.
  Money settled() const { return spent_ + held_; }

  /// True when nothing that was handed over allows the call that was asked for last.
  bool needs_higher_ceiling() const;
  /// The ceiling to store with the state of `stamp`; from now on no call passes it.
  Money hand_over(SteadyTime stamp);
  /// The state of `stamp` is durable.
  void on_durable(SteadyTime stamp);

 private:
  Money committed() const { return spent_ + held_ + reserved_; }
  Money allowed() const;

  std::optional<Money> limit_;
  Money spent_;
  Money held_;
  Money reserved_;
  Money wanted_;  ///< amount of the call that was asked for last
  double ratio_ = 1;
  bool usage_seen_ = false;
  struct Ceiling {
    SteadyTime stamp{};
    Money amount;
  };
  Ceiling durable_;
  std::deque<Ceiling> handed_over_;  ///< not durable yet
};

/// The most that a call can cost: its input at the dearest rate that its body can lead to, its
/// output up to its cap (the body's, else the model's maximum), times the choices it asks for.
/// Absent when no cap is known, or no batch price.
std::optional<Money> most_expensive(const ModelPrice& price, const Request& request,
                                    TokenCount input_tokens, WallTime at,
                                    BillingMode mode = BillingMode::real_time);

}  // namespace llmbatch
