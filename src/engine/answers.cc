#include "answers.h"

#include <utility>

namespace llmbatch {
namespace {

template <typename Known>
ItemUpdate identified(const Known& item) {
  ItemUpdate update;
  update.seq = item.seq;
  update.id = item.id;
  update.id_hash = item.id_hash;
  update.request_hash = item.request_hash;
  update.place = item.place;
  update.attempts = item.attempts;
  return update;
}

}  // namespace

ItemUpdate identify(const Item& item) {
  ItemUpdate update = identified(item);
  update.input_text = item.input_text;
  return update;
}

ItemUpdate identify(const StoredItem& item) { return identified(item); }

void check_answer(const AnswerCheck* check, const Provider& provider, Outcome& outcome) {
  // A refusal or a cut answer is no answer that could be checked.
  if (check == nullptr || outcome.error != ErrorClass::none) return;
  AnswerVerdict verdict = check->check(outcome.completion);
  if (verdict.violation.empty()) {
    outcome.completion.output = std::move(verdict.output);
    outcome.completion.output_is_json = verdict.output_is_json;
    return;
  }
  outcome.error = ErrorClass::check_failed;
  outcome.message = std::move(verdict.violation);
  provider.redact(outcome.message);
}

bool was_answered(const Outcome& outcome) {
  return outcome.error == ErrorClass::none ||
         (outcome.http_status == 200 && !outcome.completion.output.empty());
}

AttemptRecord describe_attempt(std::uint32_t number, const Outcome& outcome, HttpReply& reply) {
  AttemptRecord attempt;
  attempt.number = number;
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
  if (outcome.completion.has_usage) attempt.usage = outcome.completion.usage;
  return attempt;
}

void describe_outcome(const Outcome& outcome, ItemUpdate& update) {
  update.error = outcome.error;
  update.http_status = outcome.http_status;
  update.error_message = outcome.message;
  update.output = outcome.completion.output;
  update.has_output = !update.output.empty() || outcome.error == ErrorClass::none;
  update.output_is_json = outcome.completion.output_is_json;
}

void add_usage(const Usage& usage, Usage& sum) {
  sum.input += usage.input;
  sum.cached_input += usage.cached_input;
  sum.cache_write += usage.cache_write;
  sum.output += usage.output;
  sum.reasoning += usage.reasoning;
  sum.estimated = sum.estimated || usage.estimated;
}

std::shared_ptr<const ReusedAnswer> describe_answer(const ItemUpdate& update) {
  auto answer = std::make_shared<ReusedAnswer>();
  answer->seq = update.seq;
  answer->http_status = update.http_status;
  answer->output = update.output;
  answer->output_is_json = update.output_is_json;
  if (update.attempt) {
    answer->model = update.attempt->model;
    answer->finish_reason = update.attempt->finish_reason;
    answer->request_id = update.attempt->request_id;
    answer->usage = update.attempt->usage;
    answer->cost = update.attempt->cost;
  }
  return answer;
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

}  // namespace

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

std::shared_ptr<const ReusedAnswer> judge_shared_answer(
    const std::shared_ptr<const ReusedAnswer>& known, const AnswerCheck* check,
    const Provider& provider) {
  if (!known) return nullptr;
  HttpReply reply;
  reply.status = known->http_status;
  reply.body = known->foreign->response;
  Outcome outcome = provider.parse_response(reply);
  check_answer(check, provider, outcome);
  if (outcome.error != ErrorClass::none) return nullptr;
  auto answer = std::make_shared<ReusedAnswer>(*known);
  answer->output = std::move(outcome.completion.output);
  answer->output_is_json = outcome.completion.output_is_json;
  return answer;
}

}  // namespace llmbatch
