// Answers and their check: what fails is asked once more, with the reason quoted to the model.
#include <utility>

#include "llmbatch/engine/runner.h"

namespace llmbatch {

void Runner::prepare_reask(Slot& slot, const Outcome& outcome) const {
  if (!settings_.reask || outcome.error != ErrorClass::check_failed) return;
  auto request = std::make_unique<Request>();
  const bool built =
      parts_.provider.build_reask(slot.item.request, outcome.completion, outcome.message, *request);
  if (!built) return;
  slot.reask = std::move(request);
  slot.counted_input = 0;
}

}  // namespace llmbatch
