// Answers and their check: what fails is asked once more, with the reason quoted to the model.
#include <utility>

#include "llmbatch/engine/runner.h"

namespace llmbatch {

void Runner::check_answer(Outcome& outcome) const {
  // A refusal or a cut answer is no answer that could be checked.
  if (parts_.answer_check == nullptr || outcome.error != ErrorClass::none) return;
  AnswerVerdict verdict = parts_.answer_check->check(outcome.completion);
  if (verdict.violation.empty()) {
    outcome.completion.output = std::move(verdict.output);
    outcome.completion.output_is_json = verdict.output_is_json;
    return;
  }
  outcome.error = ErrorClass::check_failed;
  outcome.message = std::move(verdict.violation);
  parts_.provider.redact(outcome.message);
}

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
