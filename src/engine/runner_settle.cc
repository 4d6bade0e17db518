// What follows an answer: usage is settled, limits are learnt, and the item goes on to its next
// state.
#include <fmt/format.h>

#include <utility>

#include "llmbatch/base/text.h"
#include "llmbatch/engine/runner.h"
#include "llmbatch/policy/token_count.h"
#include "reuse.h"

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

AttemptRecord describe_attempt(const Slot& slot, Outcome& outcome, HttpReply& reply) {
  AttemptRecord attempt;
  attempt.number = slot.item.attempts + 1;
  attempt.started_at = reply.started_at;
  attempt.latency = reply.latency;
  attempt.http_status = outcome.http_status;
  attempt.error = outcome.error;
  attempt.error_message = outcome.message;
  attempt.error_code = outcome.code;
  attempt.request_id = outcome.request_id;
  attempt.model = outcome.completion.model;
  attempt.finish_reason = outcome.completion.finish_reason;
  attempt.transmissions = reply.transmissions;
  attempt.response = std::move(reply.body);
  if (outcome.completion.has_usage) {
    attempt.usage = outcome.completion.usage;
  } else if (outcome.error == ErrorClass::none ||
             (outcome.http_status == 200 && !outcome.completion.output.empty())) {
    attempt.usage = estimated_usage(slot.reservation, outcome.completion);
  }
  return attempt;
}

}  // namespace

ItemUpdate identify(const Item& item) {
  ItemUpdate update;
  update.seq = item.seq;
  update.id = item.id;
  update.id_hash = item.id_hash;
  update.request_hash = item.request_hash;
  update.place = item.place;
  update.input_text = item.input_text;
  update.attempts = item.attempts;
  return update;
}

namespace {

void describe_reused(const ReusedAnswer& answer, ItemResult& result) {
  result.output = answer.output;
  result.output_is_json = answer.output_is_json;
  result.http_status = answer.http_status;
  result.model = answer.model;
  result.finish_reason = answer.finish_reason;
  result.provider_request_id = answer.request_id;
  result.usage = answer.usage;
  result.cost = Money();
}

ItemResult describe_result(const ItemUpdate& update) {
  ItemResult result;
  result.id = update.id;
  result.seq = update.seq;
  result.place = update.place;
  result.state = update.state;
  if (update.has_output) result.output = update.output;
  result.output_is_json = update.output_is_json;
  result.error = update.error;
  result.http_status = update.http_status;
  result.error_message = update.error_message;
  result.attempts = update.attempts;
  result.finished_at = update.finished_at;
  result.cached = update.cached;
  if (update.reused) describe_reused(*update.reused, result);
  if (update.attempt) {
    const AttemptRecord& attempt = *update.attempt;
    result.model = attempt.model;
    result.finish_reason = attempt.finish_reason;
    result.provider_request_id = attempt.request_id;
    result.usage = attempt.usage;
    result.latency_ms = attempt.latency / std::chrono::milliseconds(1);
  }
  return result;
}

}  // namespace

void Runner::settle(TransportCompletion& completion, SteadyTime now) {
  const auto number = static_cast<SlotNumber>(completion.id);
  Slot& slot = slots_[number];
  ++counters_.answered;
  --calls_in_flight_;
  Outcome outcome = parts_.provider.parse_response(completion.reply);
  check_answer(outcome);
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
  AttemptRecord attempt = describe_attempt(slot, outcome, completion.reply);
  if (attempt.usage) {
    attempt.cost = spending_.cost_of(slot.item.request, *attempt.usage, attempt.started_at);
  }
  spending_.settle(slot, attempt, may_have_been_billed(completion.reply.error, outcome.http_status),
                   status_);
  stats_.on_call(attempt.usage ? &*attempt.usage : nullptr, now);
  ++status_.attempts;
  if (slot.item.attempts > 0) ++status_.retries;
  if (attempt.usage) {
    status_.usage.input += attempt.usage->input;
    status_.usage.cached_input += attempt.usage->cached_input;
    status_.usage.cache_write += attempt.usage->cache_write;
    status_.usage.output += attempt.usage->output;
    status_.usage.reasoning += attempt.usage->reasoning;
    status_.usage.estimated = status_.usage.estimated || attempt.usage->estimated;
  }
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
  update.error = outcome.error;
  update.http_status = outcome.http_status;
  update.error_message = outcome.message;
  update.output = outcome.completion.output;
  update.has_output = !update.output.empty() || outcome.error == ErrorClass::none;
  update.output_is_json = outcome.completion.output_is_json;
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
