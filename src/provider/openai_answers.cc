#include <algorithm>

#include "answers.h"
#include "error_reply.h"
#include "raw_json.h"

namespace llmbatch {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

void fail(Outcome& outcome, ErrorClass error, std::string_view message) {
  outcome.error = error;
  if (!message.empty()) outcome.message = message;
}

/// OpenRouter's own figure, from the digits as they stand in the reply. Digits beyond a pico-dollar
/// are cut off.
std::optional<Money> reported_cost(std::string_view body) {
  const auto usage = raw_member(body, "usage");
  if (!is_json_object(usage)) return std::nullopt;
  const auto raw = raw_member(usage, "cost");
  const auto exponent = raw.find_first_of("eE");
  std::string digits(raw.substr(0, exponent));
  const std::string tail(exponent == std::string_view::npos ? "" : raw.substr(exponent));
  for (int cut = 0; cut < 32 && !digits.empty(); ++cut) {
    if (const auto money = Money::parse_dollars(digits + tail)) {
      return *money < Money() ? std::nullopt : money;
    }
    if (digits.find('.') == std::string::npos) break;
    digits.pop_back();
    if (digits.ends_with('.')) digits.pop_back();
  }
  return std::nullopt;
}

void read_usage(const object& root, const AnswerContext& context, Completion& completion) {
  object usage;
  if (object_in(root, "usage").get(usage) != simdjson::SUCCESS) return;
  auto& counts = completion.usage;
  counts.input = count_in(usage, "prompt_tokens");
  counts.output = count_in(usage, "completion_tokens");
  const TokenCount total = count_in(usage, "total_tokens");
  if (counts.input == 0 && counts.output == 0) counts.input = total;
  completion.has_usage = counts.input > 0 || counts.output > 0;
  object details;
  if (object_in(usage, "prompt_tokens_details").get(details) == simdjson::SUCCESS) {
    counts.cached_input = count_in(details, "cached_tokens");
    counts.cache_write = count_in(details, "cache_write_tokens");
  }
  if (counts.cached_input == 0) counts.cached_input = count_in(usage, "prompt_cache_hit_tokens");
  if (object_in(usage, "completion_tokens_details").get(details) == simdjson::SUCCESS) {
    counts.reasoning = count_in(details, "reasoning_tokens");
  }
  const TokenCount sum = counts.input + counts.output;
  switch (context.profile.usage) {
    case UsageConvention::inclusive:
      break;
    case UsageConvention::reasoning_apart:
      // The total tells whether reasoning is counted apart in this reply.
      if (total == 0 || total >= sum + counts.reasoning) counts.output += counts.reasoning;
      break;
    case UsageConvention::reasoning_unnamed:
      if (total > sum) {
        counts.reasoning = std::max(counts.reasoning, total - sum);
        counts.output = total - counts.input;
      }
      break;
  }
  if (context.profile.name == "openrouter") counts.reported_cost = reported_cost(context.body);
}

/// Text parts joined; reasoning models of Mistral answer in parts, thoughts among them.
void append_text_parts(const array& parts, std::string& output) {
  for (const element part : parts) {
    object fields;
    if (part.get(fields) != simdjson::SUCCESS) continue;
    if (text_in(fields, "type") == "text") output += text_in(fields, "text");
  }
}

void read_content(const object& message, Completion& completion) {
  element content;
  if (message.at_key("content").get(content) == simdjson::SUCCESS) {
    std::string_view text;
    array parts;
    if (content.get(text) == simdjson::SUCCESS) completion.output.assign(text);
    if (content.get(parts) == simdjson::SUCCESS) append_text_parts(parts, completion.output);
  }
  array calls;
  if (array_in(message, "tool_calls").get(calls) == simdjson::SUCCESS && calls.size() > 0) {
    completion.output = simdjson::minify(calls);
    completion.output_is_json = true;
    return;
  }
  object call;
  if (object_in(message, "function_call").get(call) == simdjson::SUCCESS) {
    completion.output = simdjson::minify(call);
    completion.output_is_json = true;
  }
}

void judge_chat_finish(const object& message, Outcome& outcome) {
  auto& completion = outcome.completion;
  const std::string_view finish = completion.finish_reason;
  if (const auto refusal = text_in(message, "refusal"); !refusal.empty()) {
    fail(outcome, ErrorClass::content_policy, refusal);
    if (completion.output.empty()) completion.output = refusal;
    return;
  }
  if (finish == "content_filter" || finish == "refusal") {
    return fail(outcome, ErrorClass::content_policy, "the answer was stopped by a content filter");
  }
  if (finish == "length" || finish == "model_length" || finish == "max_tokens") {
    return fail(outcome, ErrorClass::truncated, "the answer was stopped at the token cap");
  }
  if (finish == "insufficient_system_resource") {
    return fail(outcome, ErrorClass::overloaded, "the provider ran out of resources");
  }
  if (finish == "error" || finish == "abort") {
    return fail(outcome, ErrorClass::server_error, "the provider gave up in the middle");
  }
  if (completion.output.empty()) fail(outcome, ErrorClass::malformed, "the answer is empty");
}

}  // namespace

void read_chat_answer(const object& root, const AnswerContext& context, Outcome& outcome) {
  auto& completion = outcome.completion;
  completion.model = text_in(root, "model");
  read_usage(root, context, completion);
  array choices;
  if (array_in(root, "choices").get(choices) != simdjson::SUCCESS) {
    return fail(outcome, ErrorClass::malformed, "no choices in the reply");
  }
  object choice;
  if (choices.at(0).get(choice) != simdjson::SUCCESS) {
    return fail(outcome, ErrorClass::malformed, "the list of choices is empty");
  }
  completion.finish_reason = text_in(choice, "finish_reason");
  object message;
  const bool has_message = object_in(choice, "message").get(message) == simdjson::SUCCESS;
  if (has_message) read_content(message, completion);
  object error;
  if (object_in(choice, "error").get(error) == simdjson::SUCCESS) {
    const std::string envelope = R"({"error":)" + std::string(simdjson::minify(error)) + "}";
    const auto details = read_error_body(envelope);
    outcome.code = details.best_code();
    return fail(outcome, classify_error_in_success(details, context.profile, false),
                details.message);
  }
  if (!has_message) {
    // A filter may leave nothing but its name.
    const bool filtered = completion.finish_reason == "content_filter";
    return fail(outcome, filtered ? ErrorClass::content_policy : ErrorClass::malformed,
                "a choice without a message");
  }
  judge_chat_finish(message, outcome);
}

void read_embeddings_answer(const object& root, const AnswerContext& context, Outcome& outcome) {
  auto& completion = outcome.completion;
  completion.model = text_in(root, "model");
  read_usage(root, context, completion);
  array data;
  if (array_in(root, "data").get(data) != simdjson::SUCCESS || data.size() == 0) {
    return fail(outcome, ErrorClass::malformed, "no embeddings in the reply");
  }
  completion.output = raw_member(context.body, "data");
  completion.output_is_json = true;
}

namespace {

void read_responses_usage(const object& root, Completion& completion) {
  object usage;
  if (object_in(root, "usage").get(usage) != simdjson::SUCCESS) return;
  auto& counts = completion.usage;
  counts.input = count_in(usage, "input_tokens");
  counts.output = count_in(usage, "output_tokens");
  completion.has_usage = counts.input > 0 || counts.output > 0;
  object details;
  if (object_in(usage, "input_tokens_details").get(details) == simdjson::SUCCESS) {
    counts.cached_input = count_in(details, "cached_tokens");
    counts.cache_write = count_in(details, "cache_write_tokens");
  }
  if (object_in(usage, "output_tokens_details").get(details) == simdjson::SUCCESS) {
    counts.reasoning = count_in(details, "reasoning_tokens");
  }
}

/// Joins the text of every message item; the first refusal and the function calls are kept apart.
void read_output_items(const array& items, std::string& text, std::string& refusal,
                       std::string& calls) {
  for (const element item : items) {
    object fields;
    if (item.get(fields) != simdjson::SUCCESS) continue;
    const auto type = text_in(fields, "type");
    if (type == "function_call" || type == "custom_tool_call") {
      calls += calls.empty() ? "[" : ",";
      calls += simdjson::minify(fields);
    }
    array parts;
    if (type != "message" || array_in(fields, "content").get(parts) != simdjson::SUCCESS) continue;
    for (const element part : parts) {
      object content;
      if (part.get(content) != simdjson::SUCCESS) continue;
      const auto kind = text_in(content, "type");
      if (kind == "output_text") text += text_in(content, "text");
      if (kind == "refusal" && refusal.empty()) refusal = text_in(content, "refusal");
    }
  }
  if (!calls.empty()) calls += ']';
}

}  // namespace

void read_responses_answer(const object& root, Outcome& outcome) {
  auto& completion = outcome.completion;
  completion.model = text_in(root, "model");
  completion.finish_reason = text_in(root, "status");
  read_responses_usage(root, completion);
  std::string refusal;
  std::string calls;
  array items;
  const bool has_items = array_in(root, "output").get(items) == simdjson::SUCCESS;
  if (has_items) read_output_items(items, completion.output, refusal, calls);
  if (!calls.empty()) {
    completion.output = std::move(calls);
    completion.output_is_json = true;
  }
  object incomplete;
  std::string_view reason;
  if (object_in(root, "incomplete_details").get(incomplete) == simdjson::SUCCESS) {
    reason = text_in(incomplete, "reason");
    if (!reason.empty()) completion.finish_reason = reason;
  }
  const auto status = text_in(root, "status");
  if (!refusal.empty()) {
    if (completion.output.empty()) completion.output = refusal;
    return fail(outcome, ErrorClass::content_policy, refusal);
  }
  if (reason == "content_filter") {
    return fail(outcome, ErrorClass::content_policy, "the answer was stopped by a content filter");
  }
  if (status == "incomplete") {
    return fail(outcome, ErrorClass::truncated, "the answer is incomplete");
  }
  if (status == "failed") return fail(outcome, ErrorClass::server_error, "the response failed");
  if (!status.empty() && status != "completed") {
    return fail(outcome, ErrorClass::malformed, "the response is not completed");
  }
  if (!has_items) return fail(outcome, ErrorClass::malformed, "no output in the reply");
  if (completion.output.empty()) fail(outcome, ErrorClass::malformed, "the answer is empty");
}

}  // namespace llmbatch
