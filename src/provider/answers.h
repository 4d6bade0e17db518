// Answers: reads the 200 replies of each wire format. Source: the response schemas of the
// providers' API references. Private to the module, because it names simdjson's types.
#pragma once

#include <simdjson.h>

#include <string_view>

#include "llmbatch/model/job.h"
#include "llmbatch/model/outcome.h"
#include "llmbatch/provider/profile.h"

namespace llmbatch {

/// What a reader needs beside the parsed reply. `body` is the same reply as text.
struct AnswerContext {
  WireFormat format;
  const ProviderProfile& profile;
  std::string_view body;
};

/// Fills `outcome.completion` as far as possible and sets `outcome.error` for everything that is
/// not a usable answer. A top-level `error` is the caller's business.
void read_answer(const simdjson::dom::object& root, const AnswerContext& context, Outcome& outcome);

// One reader per wire format, called by read_answer.
void read_chat_answer(const simdjson::dom::object& root, const AnswerContext& context,
                      Outcome& outcome);
void read_responses_answer(const simdjson::dom::object& root, Outcome& outcome);
void read_embeddings_answer(const simdjson::dom::object& root, const AnswerContext& context,
                            Outcome& outcome);
void read_anthropic_answer(const simdjson::dom::object& root, Outcome& outcome);
void read_gemini_answer(const simdjson::dom::object& root, Outcome& outcome);

/// A string member; empty when it is absent or something else.
std::string_view text_in(const simdjson::dom::object& object, std::string_view name);
/// A whole number, clamped to 0 from below; 0 when it is absent or something else.
TokenCount count_in(const simdjson::dom::object& object, std::string_view name);
/// The member when it is an object or an array, else an error code.
simdjson::simdjson_result<simdjson::dom::object> object_in(const simdjson::dom::object& object,
                                                           std::string_view name);
simdjson::simdjson_result<simdjson::dom::array> array_in(const simdjson::dom::object& object,
                                                         std::string_view name);

}  // namespace llmbatch
