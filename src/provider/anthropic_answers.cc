#include "answers.h"

namespace llmbatch {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

void fail(Outcome& outcome, ErrorClass error, std::string_view message) {
  outcome.error = error;
  outcome.message = message;
}

void read_usage(const object& root, Completion& completion) {
  object usage;
  if (object_in(root, "usage").get(usage) != simdjson::SUCCESS) return;
  auto& counts = completion.usage;
  counts.cached_input = count_in(usage, "cache_read_input_tokens");
  counts.cache_write = count_in(usage, "cache_creation_input_tokens");
  // Anthropic's input_tokens leave cached tokens out.
  counts.input = count_in(usage, "input_tokens") + counts.cached_input + counts.cache_write;
  counts.output = count_in(usage, "output_tokens");
  completion.has_usage = counts.input > 0 || counts.output > 0;
  object details;
  if (object_in(usage, "cache_creation").get(details) == simdjson::SUCCESS) {
    counts.cache_write_one_hour = count_in(details, "ephemeral_1h_input_tokens");
  }
  if (object_in(usage, "output_tokens_details").get(details) == simdjson::SUCCESS) {
    counts.reasoning = count_in(details, "thinking_tokens");
  }
}

/// Joins the text blocks; tool calls, when there are any, are the answer instead.
void read_blocks(const array& blocks, Completion& completion) {
  std::string calls;
  for (const element block : blocks) {
    object fields;
    if (block.get(fields) != simdjson::SUCCESS) continue;
    const auto type = text_in(fields, "type");
    if (type == "text") completion.output += text_in(fields, "text");
    if (type == "tool_use") {
      calls += calls.empty() ? "[" : ",";
      calls += simdjson::minify(fields);
    }
  }
  if (calls.empty()) return;
  completion.output = calls + "]";
  completion.output_is_json = true;
}

std::string refusal_text(const object& root) {
  object details;
  if (object_in(root, "stop_details").get(details) != simdjson::SUCCESS) return "refused";
  std::string text(text_in(details, "explanation"));
  const auto category = text_in(details, "category");
  if (text.empty()) text = "refused";
  if (!category.empty()) text.append(" (").append(category).append(")");
  return text;
}

}  // namespace

void read_anthropic_answer(const object& root, Outcome& outcome) {
  auto& completion = outcome.completion;
  completion.model = text_in(root, "model");
  completion.finish_reason = text_in(root, "stop_reason");
  read_usage(root, completion);
  array blocks;
  const bool has_blocks = array_in(root, "content").get(blocks) == simdjson::SUCCESS;
  if (has_blocks) read_blocks(blocks, completion);
  const std::string_view stop = completion.finish_reason;
  if (stop == "refusal") return fail(outcome, ErrorClass::content_policy, refusal_text(root));
  if (!has_blocks) return fail(outcome, ErrorClass::malformed, "no content in the reply");
  if (stop == "max_tokens") {
    return fail(outcome, ErrorClass::truncated, "the answer was stopped at the token cap");
  }
  if (stop == "model_context_window_exceeded") {
    return fail(outcome, ErrorClass::truncated, "the answer was stopped at the context window");
  }
  // Going on would take a second turn, which a batch does not have.
  if (stop == "pause_turn") return fail(outcome, ErrorClass::truncated, "the turn was paused");
  if (completion.output.empty()) fail(outcome, ErrorClass::malformed, "the answer is empty");
}

}  // namespace llmbatch
