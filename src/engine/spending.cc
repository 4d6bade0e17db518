#include "llmbatch/engine/spending.h"

#include <fmt/format.h>

#include <utility>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

std::string shown(const std::string& model) {
  return sanitize_for_terminal(truncate_chars(model, 60));
}

}  // namespace

Spending::Spending(SpendingSettings settings, const RunStatus& status)
    : settings_(std::move(settings)),
      budget_(settings_.max_cost, status.known_cost, settings_.held),
      spent_before_(status.known_cost),
      price_known_(settings_.prices.find(settings_.model) != nullptr) {}

const ModelPrice* Spending::price_of(const std::string& model) {
  // Most jobs ask one model for everything, and the table is searched row by row.
  if (!last_model_ || *last_model_ != model) {
    last_price_ = settings_.prices.find(model);
    last_model_ = model;
  }
  return last_price_;
}

Spending::Admission Spending::ask(Slot& slot, std::size_t calls_in_flight, WallTime wall_now) {
  const Request& request = slot.request();
  const ModelPrice* price = price_of(request.model);
  if (price == nullptr) {
    return {Budget::Answer::over,
            fmt::format("line {}: the price of model '{}' is unknown, and --max-cost needs it; "
                        "give it with --price-file",
                        slot.item.place.line, shown(request.model))};
  }
  const auto bound =
      most_expensive(*price, request, budget_.corrected(slot.counted_input), wall_now);
  if (!bound) {
    return {Budget::Answer::over,
            fmt::format("line {}: the most that model '{}' may answer is unknown, and --max-cost "
                        "needs it; limit it with --max-tokens",
                        slot.item.place.line, shown(request.model))};
  }
  slot.cost_bound = *bound;
  return {budget_.ask(*bound, calls_in_flight), ""};
}

std::optional<Money> Spending::cost_of(const std::string& model, const Usage& usage,
                                       WallTime started_at, BillingMode mode) {
  if (usage.reported_cost) return usage.reported_cost;
  const ModelPrice* price = price_of(model);
  if (price == nullptr) return std::nullopt;
  return cost(*price, usage, started_at, mode);
}

std::optional<Money> Spending::most_in_batch(const Request& request, TokenCount counted_input,
                                             WallTime wall_now) {
  const ModelPrice* price = price_of(request.model);
  if (price == nullptr) return std::nullopt;
  return most_expensive(*price, request, budget_.corrected(counted_input), wall_now,
                        BillingMode::batch);
}

void Spending::account(const AttemptRecord& attempt, RunStatus& status) {
  budget_.settle(Money(), attempt.cost, false);
  if (attempt.cost) status.known_cost += *attempt.cost;
  if (attempt.usage && !attempt.cost) ++status.unpriced;
}

void Spending::settle(Slot& slot, const AttemptRecord& attempt, bool maybe_billed,
                      RunStatus& status) {
  budget_.settle(slot.cost_bound, attempt.cost, maybe_billed);
  slot.cost_bound = Money();
  if (attempt.cost) {
    status.known_cost += *attempt.cost;
    slot.cost = slot.cost.value_or(Money()) + *attempt.cost;
  }
  if (!attempt.usage) return;
  if (!attempt.cost) ++status.unpriced;
  if (!attempt.usage->estimated && budget_.limited()) {
    budget_.learn(slot.counted_input, attempt.usage->input);
  }
}

void Spending::refresh(RunStatus& status, std::int64_t items_left) const {
  status.spent.reset();
  status.projected.reset();
  status.per_item.reset();
  const bool anything = status.known_cost > Money();
  if (status.unpriced > 0 || (!price_known_ && !anything)) return;
  status.spent = status.known_cost;
  // This run's own items tell best what the rest will cost; before the first is done, earlier ones.
  Money cost = status.known_cost - spent_before_;
  std::int64_t finished = status.finished_this_run;
  if (finished == 0) {
    cost = spent_before_;
    finished = status.done_before - status.items[ItemState::invalid];
  }
  if (finished > 0) status.per_item = Money::from_pico(cost.pico() / finished);
  if (items_left == 0) {
    status.projected = status.spent;
  } else if (status.per_item) {
    status.projected = *status.spent + status.per_item->times(items_left);
  }
}

std::string Spending::over_limit_text(const RunStatus& status, Money wanted) const {
  const std::int64_t finished = status.items.finished();
  const std::int64_t left = status.items.total() - finished;
  std::string text = fmt::format("--max-cost {} would be passed: {} spent",
                                 budget_.limit().to_display(), budget_.spent().to_display());
  if (budget_.held() > Money()) {
    text += fmt::format(" and up to {} more for calls whose answers were lost",
                        budget_.held().to_display());
  }
  text +=
      fmt::format("; {} of {} items are done, the next call may cost up to {}",
                  group_digits(finished), group_digits(status.items.total()), wanted.to_display());
  if (status.projected && status.spent) {
    text += fmt::format(", the other {} about {}", group_digits(left),
                        (*status.projected - *status.spent).to_display());
  }
  return text;
}

}  // namespace llmbatch
