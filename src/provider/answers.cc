#include "answers.h"

#include <algorithm>
#include <cmath>

namespace llmbatch {

using simdjson::dom::array;
using simdjson::dom::object;

std::string_view text_in(const object& object, std::string_view name) {
  std::string_view text;
  if (object.at_key(name).get(text) != simdjson::SUCCESS) return {};
  return text;
}

TokenCount count_in(const object& object, std::string_view name) {
  simdjson::dom::element element;
  if (object.at_key(name).get(element) != simdjson::SUCCESS) return 0;
  // Sums of a few such numbers must not overflow; what is as large as this is no usage anyway.
  constexpr TokenCount kMost = 1'000'000'000'000'000;
  std::int64_t whole = 0;
  if (element.get(whole) == simdjson::SUCCESS) return std::clamp<TokenCount>(whole, 0, kMost);
  double number = 0;
  if (element.get(number) != simdjson::SUCCESS || !(number > 0)) return 0;
  return number < static_cast<double>(kMost) ? static_cast<TokenCount>(number) : kMost;
}

simdjson::simdjson_result<object> object_in(const object& object, std::string_view name) {
  return object.at_key(name).get_object();
}

simdjson::simdjson_result<array> array_in(const object& object, std::string_view name) {
  return object.at_key(name).get_array();
}

void read_answer(const object& root, const AnswerContext& context, Outcome& outcome) {
  switch (context.format) {
    case WireFormat::openai_chat:
      read_chat_answer(root, context, outcome);
      break;
    case WireFormat::openai_responses:
      read_responses_answer(root, outcome);
      break;
    case WireFormat::openai_embeddings:
      read_embeddings_answer(root, context, outcome);
      break;
    case WireFormat::anthropic_messages:
      read_anthropic_answer(root, outcome);
      break;
    case WireFormat::gemini_generate:
      read_gemini_answer(root, outcome);
      break;
  }
  auto& usage = outcome.completion.usage;
  usage.cached_input = std::min(usage.cached_input, usage.input);
  usage.cache_write = std::min(usage.cache_write, usage.input);
  usage.cache_write_one_hour = std::min(usage.cache_write_one_hour, usage.cache_write);
  usage.reasoning = std::min(usage.reasoning, usage.output);
}

}  // namespace llmbatch
