// Spending: what the calls of a run cost, what the job has cost, and what it may cost. Prices come
// from the job's price table; a cost that the provider reports itself wins. Thread rule: the loop
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "llmbatch/engine/slot.h"
#include "llmbatch/model/run_status.h"
#include "llmbatch/policy/budget.h"
#include "llmbatch/policy/pricing.h"
#include "llmbatch/port/result_store.h"

namespace llmbatch {

struct SpendingSettings {
  JobPrices prices;
  std::string model;              ///< the job's own; empty: none
  std::optional<Money> max_cost;  ///< of the job, all runs together
  Money held;  ///< what earlier runs may have spent beside the stored cost, see Budget
};

class Spending {
 public:
  /// `status`: cost of the job before this run.
  Spending(SpendingSettings settings, const RunStatus& status);

  struct Admission {
    Budget::Answer answer = Budget::Answer::start;
    std::string unknown;  ///< set instead: why the call's cost has no bound
  };
  /// With a cost limit: may this item's call start? Its input was counted. Remembers its bound in
  /// the slot.
  Admission ask(Slot& slot, std::size_t calls_in_flight, WallTime wall_now);
  void start(const Slot& slot) { budget_.take(slot.cost_bound); }

  /// The cost of a call with this usage; absent: unknown.
  std::optional<Money> cost_of(const std::string& model, const Usage& usage, WallTime started_at,
                               BillingMode mode = BillingMode::real_time);
  /// The most that a request of this model may cost in a provider batch; absent: nobody knows.
  std::optional<Money> most_in_batch(const Request& request, TokenCount counted_input,
                                     WallTime wall_now);
  /// Adds the cost of an answer that a provider batch brought.
  void account(const AttemptRecord& attempt, RunStatus& status);
  /// `maybe_billed`: see Budget::settle.
  void settle(Slot& slot, const AttemptRecord& attempt, bool maybe_billed, RunStatus& status);

  /// Fills spent, projected and per item.
  void refresh(RunStatus& status, std::int64_t items_left) const;
  /// Why the run pauses: how far it got and what the rest would cost.
  std::string over_limit_text(const RunStatus& status, Money wanted) const;

  Budget& budget() { return budget_; }

 private:
  const ModelPrice* price_of(const std::string& model);

  SpendingSettings settings_;
  Budget budget_;
  Money spent_before_;
  bool price_known_ = false;
  std::optional<std::string> last_model_;
  const ModelPrice* last_price_ = nullptr;
};

}  // namespace llmbatch
