// What the runner knows of the tokens of a call before and after it. Counting a body costs more
// than all else that is done for an item, so it is left out where nothing asks for it.
#include <algorithm>

#include "llmbatch/engine/runner.h"
#include "llmbatch/policy/token_count.h"

namespace llmbatch {

TokenCount Runner::counted_input(Slot& slot) const {
  if (slot.counted_input == 0) {
    const std::string& body = slot.item.request.body;
    const TokenCount counted = settings_.token_counter != nullptr
                                   ? count_request_tokens(body, *settings_.token_counter)
                                   : count_request_tokens(body);
    slot.counted_input = std::max<TokenCount>(counted, 1);
  }
  return slot.counted_input;
}

TokenReservation Runner::expected_use(Slot& slot) const {
  const Request& request = slot.item.request;
  if (!limiter_.limits_tokens()) return estimate_.reserve_uncounted(request);
  return estimate_.reserve(counted_input(slot), request.output_cap);
}

void Runner::learn_usage(Slot& slot, const Usage& usage) {
  if (slot.counted_input > 0 || estimate_.wants_input()) {
    estimate_.learn_input(counted_input(slot), usage);
  }
  estimate_.learn_output(usage);
}

}  // namespace llmbatch
