#include "answer_format.h"

#include <nlohmann/json.hpp>

#include "schema_subset.h"

namespace llmbatch {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kCheckedOnly = "it is not sent, but every answer is checked against it";

std::string name_of(const ProviderProfile& profile) {
  return profile.name.empty() ? "this server" : std::string(profile.name);
}

std::string render(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string json_schema_format(Json schema, bool strict) {
  Json format = {{"type", "json_schema"}};
  format["json_schema"] = {{"name", "answer"}, {"strict", strict}, {"schema", std::move(schema)}};
  return render(format);
}

void ask_for_json(WireFormat format, const ProviderProfile& profile, AskedFormat& asked) {
  // Anthropic has no such mode; LM Studio refuses it.
  if (format == WireFormat::anthropic_messages) return;
  if (format != WireFormat::gemini_generate) {
    if (profile.answer_forms == AnswerForms::schema_only) return;
    asked.needs_word = true;
  }
  asked.response_format = R"({"type":"json_object"})";
}

void ask_openai(const ProviderProfile& profile, const Json& schema, AskedFormat& asked) {
  const Json plain = without_annotations(schema);
  const std::string obstacle = strict_obstacle(plain);
  if (obstacle.empty()) {
    asked.response_format = json_schema_format(plain, true);
    return;
  }
  const auto type = plain.find("type");
  if (profile.object_answers && (type == plain.end() || *type != "object")) {
    asked.notes.push_back("schema: " + name_of(profile) + " takes only objects at the root; " +
                          std::string(kCheckedOnly));
    return;
  }
  asked.response_format = json_schema_format(schema, false);
  if (profile.object_answers) {
    asked.notes.push_back("schema: sent as a hint (strict is false), because of " + obstacle);
  }
}

void ask_for_schema(WireFormat format, const ProviderProfile& profile, const std::string& text,
                    AskedFormat& asked) {
  const Json schema = Json::parse(text, nullptr, false);
  if (!schema.is_object()) return;
  switch (format) {
    case WireFormat::openai_chat:
    case WireFormat::openai_responses:
      if (profile.answer_forms == AnswerForms::json_only) {
        asked.notes.push_back("schema: " + name_of(profile) +
                              " takes no schema; describe the fields in the prompt. JSON is asked "
                              "for where the prompt says the word JSON");
        return ask_for_json(format, profile, asked);
      }
      return ask_openai(profile, schema, asked);
    case WireFormat::anthropic_messages:
      if (auto subset = anthropic_subset(schema)) {
        asked.response_format = json_schema_format(std::move(*subset), true);
      } else {
        asked.notes.push_back(
            "schema: recursion and objects with free names cannot be asked for here; " +
            std::string(kCheckedOnly));
      }
      return;
    case WireFormat::gemini_generate:
      asked.response_format = json_schema_format(gemini_subset(schema), true);
      return;
    case WireFormat::openai_embeddings:
      return;
  }
}

}  // namespace

AskedFormat asked_format(WireFormat format, const ProviderProfile& profile,
                         const AnswerFormat& wanted) {
  AskedFormat asked;
  if (wanted.shape == AnswerShape::json) ask_for_json(format, profile, asked);
  if (wanted.shape == AnswerShape::schema) ask_for_schema(format, profile, wanted.schema, asked);
  return asked;
}

bool mentions_json(std::string_view text) {
  for (std::size_t i = text.find_first_of("jJ"); i != std::string_view::npos;
       i = text.find_first_of("jJ", i + 1)) {
    const std::string_view word = text.substr(i, 4);
    if (word.size() < 4) return false;
    const auto lower = [](char c) { return static_cast<char>(c | 0x20); };
    if (lower(word[1]) == 's' && lower(word[2]) == 'o' && lower(word[3]) == 'n') return true;
  }
  return false;
}

}  // namespace llmbatch
