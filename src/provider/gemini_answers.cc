#include <algorithm>
#include <array>

#include "answers.h"

namespace llmbatch {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

void fail(Outcome& outcome, ErrorClass error, std::string message) {
  outcome.error = error;
  outcome.message = std::move(message);
}

void read_usage(const object& root, Completion& completion) {
  object usage;
  if (object_in(root, "usageMetadata").get(usage) != simdjson::SUCCESS) return;
  auto& counts = completion.usage;
  counts.input = count_in(usage, "promptTokenCount") + count_in(usage, "toolUsePromptTokenCount");
  counts.cached_input = count_in(usage, "cachedContentTokenCount");
  // Thoughts are billed as output, but counted apart.
  counts.reasoning = count_in(usage, "thoughtsTokenCount");
  counts.output = count_in(usage, "candidatesTokenCount") + counts.reasoning;
  completion.has_usage = counts.input > 0 || counts.output > 0;
}

void read_parts(const array& parts, Completion& completion) {
  std::string calls;
  for (const element part : parts) {
    object fields;
    if (part.get(fields) != simdjson::SUCCESS) continue;
    bool thought = false;
    if (fields.at_key("thought").get(thought) == simdjson::SUCCESS && thought) continue;
    completion.output += text_in(fields, "text");
    object call;
    if (object_in(fields, "functionCall").get(call) == simdjson::SUCCESS) {
      calls += calls.empty() ? "[" : ",";
      calls += simdjson::minify(call);
    }
  }
  if (calls.empty()) return;
  completion.output = calls + "]";
  completion.output_is_json = true;
}

bool is_blocked(std::string_view finish) {
  constexpr std::array<std::string_view, 10> kBlocked{
      "SAFETY",    "RECITATION",      "BLOCKLIST",   "PROHIBITED_CONTENT",
      "SPII",      "IMAGE_SAFETY",    "MODEL_ARMOR", "IMAGE_PROHIBITED_CONTENT",
      "JAILBREAK", "IMAGE_RECITATION"};
  return std::find(kBlocked.begin(), kBlocked.end(), finish) != kBlocked.end();
}

bool is_broken(std::string_view finish) {
  constexpr std::array<std::string_view, 4> kBroken{
      "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "OTHER"};
  return std::find(kBroken.begin(), kBroken.end(), finish) != kBroken.end();
}

}  // namespace

void read_gemini_answer(const object& root, Outcome& outcome) {
  auto& completion = outcome.completion;
  completion.model = text_in(root, "modelVersion");
  read_usage(root, completion);
  array candidates;
  object candidate;
  if (array_in(root, "candidates").get(candidates) != simdjson::SUCCESS ||
      candidates.at(0).get(candidate) != simdjson::SUCCESS) {
    object feedback;
    const bool has_feedback = object_in(root, "promptFeedback").get(feedback) == simdjson::SUCCESS;
    const auto reason = has_feedback ? text_in(feedback, "blockReason") : std::string_view{};
    if (reason.empty()) return fail(outcome, ErrorClass::malformed, "no candidates in the reply");
    completion.finish_reason = reason;
    return fail(outcome, ErrorClass::content_policy,
                "the prompt was blocked (" + std::string(reason) + ")");
  }
  completion.finish_reason = text_in(candidate, "finishReason");
  object content;
  array parts;
  if (object_in(candidate, "content").get(content) == simdjson::SUCCESS &&
      array_in(content, "parts").get(parts) == simdjson::SUCCESS) {
    read_parts(parts, completion);
  }
  const auto& finish = completion.finish_reason;
  if (is_blocked(finish)) {
    return fail(outcome, ErrorClass::content_policy, "the answer was blocked (" + finish + ")");
  }
  if (finish == "MAX_TOKENS") {
    return fail(outcome, ErrorClass::truncated, "the answer was stopped at the token cap");
  }
  if (is_broken(finish)) {
    return fail(outcome, ErrorClass::malformed, "the answer is unusable (" + finish + ")");
  }
  if (completion.output.empty()) {
    fail(outcome, ErrorClass::malformed,
         "the answer is empty" + (finish.empty() ? "" : " (" + finish + ")"));
  }
}

}  // namespace llmbatch
