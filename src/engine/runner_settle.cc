// What follows an answer: usage is settled, limits are learnt, and the item goes on to its next
// state.
#include <fmt/format.h>

#include <utility>

#include "answers.h"
#include "llmbatch/base/text.h"
#include "llmbatch/engine/runner.h"
#include "llmbatch/policy/token_count.h"

namespace llmbatch {
namespace {

bool is_overload(ErrorClass error) {
  return error == ErrorClass::rate_limited || error == ErrorClass::overloaded;
}

/// Of a call without usage: an error answer costs nothing, and a connection that could not be made
/// carried no request. Of what was lost later, or came back cut, nobody knows.
bool may_have_been_billed(TransportError error, int http_status) {
  const bool sent = error != TransportError::resolve && error != TransportError::connect &&
                    error != TransportError::tls;
  return sent && http_status < 400;
}

Usage estimated_usage(const TokenReservation& reservation, const Completion& completion) {
  Usage usage;
  usage.input = reservation.input;
  usage.output = count_tokens(completion.output);
  usage.estimated = true;
  return usage;
}

}  // namespace

void Runner::settle(TransportCompletion& completion, SteadyTime now) {
  const auto number = static_cast<SlotNumber>(completion.id);
  Slot& slot = slots_[number];
  ++counters_.answered;
  --calls_in_flight_;
  Outcome outcome = parts_.provider.parse_response(completion.reply);
  check_answer(parts_.answer_check, parts_.provider, outcome);
  if (warm_up_calls_left_ > 0) {
    warm_up_calls_left_ = outcome.error == ErrorClass::none ? 0 : warm_up_calls_left_ - 1;
  }
  apply_limits(slot, outcome, now);
  const bool answered =
      outcome.error == ErrorClass::none || outcome.error == ErrorClass::check_failed;
  if (answered && !outcome.completion.has_usage) {
    slot.reservation = estimate_.reserve(counted_input(slot), 0);
  }
  if (outcome.error != ErrorClass::none) parts_.provider.redact(completion.reply.body);
  AttemptRecord attempt = describe_attempt(slot.item.attempts + 1, outcome, completion.reply);
  if (!attempt.usage && was_answered(outcome)) {
    attempt.usage = estimated_usage(slot.reservation, outcome.completion);
  }
  if (attempt.usage) {
    attempt.cost = spending_.cost_of(slot.item.request.model, *attempt.usage, attempt.started_at);
  }
  spending_.settle(slot, attempt, may_have_been_billed(completion.reply.error, outcome.http_status),
                   status_);
  stats_.on_call(attempt.usage ? &*attempt.usage : nullptr, now);
  ++status_.attempts;
  if (slot.item.attempts > 0) ++status_.retries;
  if (attempt.usage) add_usage(*attempt.usage, status_.usage);
  follow(number, outcome, std::move(attempt), now);
}

void Runner::apply_limits(Slot& slot, const Outcome& outcome, SteadyTime now) {
  const Completion& completion = outcome.completion;
  if (completion.has_usage) {
    limiter_.settle(slot.reservation, completion.usage, slot.started_at, now);
    learn_usage(slot, completion.usage);
  }
  limiter_.apply(outcome.limits, now, parts_.clock.wall_now());
  if (is_overload(outcome.error)) {
    concurrency_.on_overload(slot.started_at, now);
  } else {
    concurrency_.on_answer(now);
  }
  if (outcome.error != ErrorClass::rate_limited && outcome.http_status != 0) ++other_answers_;
}

void Runner::follow(SlotNumber number, const Outcome& outcome, AttemptRecord attempt,
                    SteadyTime now) {
  Slot& slot = slots_[number];
  const bool alive = slot.other_answers_mark < 0 || other_answers_ > slot.other_answers_mark;
  if (outcome.error == ErrorClass::rate_limited) slot.other_answers_mark = other_answers_;
  Decision decision =
      retry_policy_.decide(outcome, slot.history, slot.item.own_model, alive, random_.uniform());
  if (decision.shared_pause > Duration(0)) {
    limiter_.pause_until(now + decision.shared_pause, "retry-after");
  }
  ++slot.item.attempts;
  ItemUpdate update = identify(slot.item);
  update.attempt = std::move(attempt);
  describe_outcome(outcome, update);
  update.state = decision.state;
  if (decision.step == NextStep::retry) {
    slot.retry_at = now + decision.delay;
    prepare_reask(slot, outcome);
  } else if (decision.step == NextStep::pause_run) {
    pause(
        fmt::format("{}{}{}{}", to_string(outcome.error),
                    outcome.http_status != 0 ? fmt::format(" (HTTP {})", outcome.http_status) : "",
                    outcome.message.empty() ? "" : ": ", sanitize_for_terminal(outcome.message)));
  }
  if (reuses_ && update.state == ItemState::succeeded && update.error == ErrorClass::none) {
    slot.answer = describe_answer(update);
  }
  push_update(number, std::move(update));
}

void Runner::finish_unsent(SlotNumber number, ErrorClass error, std::string message) {
  ItemUpdate update = identify(slots_[number].item);
  update.state = ItemState::failed;
  update.error = error;
  update.error_message = std::move(message);
  push_update(number, std::move(update));
}

void Runner::push_update(SlotNumber number, ItemUpdate update) {
  Slot& slot = slots_[number];
  update.finished_at = parts_.clock.wall_now();
  slot.final_state = update.state;
  slot.final_error = update.error;
  slot.final_message = update.error_message;
  if (is_final(update.state) && parts_.monitor.wants_items()) {
    slot.result = describe_result(update);
    if (!slot.reused) slot.result->cost = slot.cost;
  }
  ++(slot.reused ? committing_reused_ : committing_);
  writer_.push(std::move(update), number);
  if (reuses_ && is_final(slot.final_state)) settle_followers(number);
}

}  // namespace llmbatch
