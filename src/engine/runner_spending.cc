// The limits of one run beside the rates: cost, number of items, duration.
#include <fmt/format.h>

#include "llmbatch/base/text.h"
#include "llmbatch/engine/runner.h"

namespace llmbatch {

/// False: the next item's call has to wait, or the run pauses.
bool Runner::cost_allows(Slot& slot, SteadyTime now) {
  if (!spending_.budget().limited()) return true;
  counted_input(slot);
  const Spending::Admission admission =
      spending_.ask(slot, calls_in_flight_, parts_.clock.wall_now());
  if (!admission.unknown.empty()) {
    pause(admission.unknown);
    return false;
  }
  switch (admission.answer) {
    case Budget::Answer::start:
      return true;
    case Budget::Answer::wait_for_answers:
      status_.waiting_for = "cost limit";
      return false;
    case Budget::Answer::wait_for_store:
      status_.waiting_for = "disk";
      return false;
    case Budget::Answer::over:
      break;
  }
  // What is being stored belongs into the account that the reason gives.
  if (committing_ > 0) return false;
  refresh_status(now);
  pause(spending_.over_limit_text(status_, slot.cost_bound));
  return false;
}

/// True when --max-items are taken up and the input has more: that many end, then the run does.
bool Runner::enough_items(SlotNumber next) {
  if (!settings_.max_items || counters_.pulled <= *settings_.max_items) return false;
  give_back(next);
  source_ended_ = true;
  max_items_reached_ = true;
  return true;
}

void Runner::check_duration(SteadyTime now) {
  if (!settings_.max_duration || now < started_ + *settings_.max_duration) return;
  // What is in flight may be the last of it.
  const bool more = !source_ended_ || scheduler_.ready() > 0 || scheduler_.delayed() > 0;
  if (phase_ != Phase::running || !more) return;
  pause(fmt::format("--max-duration {} is over", format_duration(*settings_.max_duration)));
}

void Runner::pause_after_max_items() {
  if (!max_items_reached_ || end_ != RunEnding::completed) return;
  end_ = RunEnding::paused;
  status_.pause_reason =
      fmt::format("--max-items: {} taken up in this run",
                  *settings_.max_items == 1 ? std::string("1 item was")
                                            : group_digits(*settings_.max_items) + " items were");
}

}  // namespace llmbatch
