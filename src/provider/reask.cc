#include "reask.h"

#include <string>

#include "llmbatch/base/text.h"
#include "raw_json.h"

namespace llmbatch {
namespace {

/// The member of the body that holds the turns.
std::string_view turns_name(WireFormat format) {
  switch (format) {
    case WireFormat::openai_chat:
    case WireFormat::anthropic_messages:
      return "messages";
    case WireFormat::openai_responses:
      return "input";
    case WireFormat::gemini_generate:
      return "contents";
    case WireFormat::openai_embeddings:
      break;
  }
  return {};
}

void append_turn(WireFormat format, bool model, std::string_view text, std::string& out) {
  const bool gemini = format == WireFormat::gemini_generate;
  if (gemini) {
    out += model ? R"({"role":"model","parts":[{"text":)" : R"({"role":"user","parts":[{"text":)";
  } else {
    out += model ? R"({"role":"assistant","content":)" : R"({"role":"user","content":)";
  }
  append_json_string(out, text);
  out += gemini ? "}]}" : "}";
}

std::string question(std::string_view violation) {
  return "This answer fails its check: " + std::string(violation) +
         "\nAnswer the request above once more, so that it passes. Give the corrected answer and "
         "nothing else.";
}

}  // namespace

bool append_reask(WireFormat format, const Request& first, const FailedAnswer& answer,
                  Request& request) {
  const std::string_view name = turns_name(format);
  if (name.empty() || answer.completion.output_is_json || answer.completion.output.empty()) {
    return false;
  }
  const std::string_view body = first.body;
  std::string_view turns;
  RawObject members(body);
  while (members.next()) {
    if (members.key() == name) turns = members.value();
  }
  if (!members.ok() || turns.empty()) return false;
  const auto at = static_cast<std::size_t>(turns.data() - body.data());
  std::string added;
  if (is_json_array(turns)) {
    if (inner_json(turns).empty()) return false;
    // All but the closing bracket.
    added = turns.substr(0, turns.size() - 1);
  } else if (format == WireFormat::openai_responses && is_json_string(turns)) {
    added.append(R"([{"role":"user","content":)").append(turns).append("}");
  } else {
    return false;
  }
  added += ',';
  append_turn(format, true, answer.completion.output, added);
  added += ',';
  append_turn(format, false, question(answer.violation), added);
  added += ']';
  request.url = first.url;
  request.output_cap = first.output_cap;
  request.body.assign(body.substr(0, at)).append(added).append(body.substr(at + turns.size()));
  return true;
}

}  // namespace llmbatch
