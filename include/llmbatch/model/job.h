// The job: what runs of one database resume (README, Resume). And what a request is made of
// when the line does not say otherwise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llmbatch {

enum class WireFormat : std::uint8_t {
  openai_chat,
  openai_responses,
  openai_embeddings,
  anthropic_messages,
  gemini_generate,
};

std::string_view to_string(WireFormat format);
std::optional<WireFormat> parse_wire_format(std::string_view name);

/// How the provider is asked for structured answers.
enum class AnswerShape : std::uint8_t { text, json, schema };

struct AnswerFormat {
  AnswerShape shape = AnswerShape::text;
  std::string schema;  ///< for AnswerShape::schema: JSON Schema as JSON text
};

/// The job's own request parameters; an item's own fields override them.
struct RequestDefaults {
  std::string model;  ///< verbatim, as the provider knows it; may be empty for form 1
  std::optional<std::string> system;  ///< plain text of --system (not a template)
  std::optional<std::int64_t> max_tokens;
  /// Every other request field the user asked for: name and raw JSON value, in flag order
  /// (`temperature`, `top_p`, `seed`, `--param NAME=JSON`).
  std::vector<std::pair<std::string, std::string>> parameters;
  AnswerFormat answer_format;
  /// Mark for the provider's prompt cache what all requests begin with (Anthropic cache_control).
  bool mark_prompt_cache = false;
  /// With it: the constant beginning of the prompt template, escaped for JSON; may be empty. And
  /// whether the system message is the same for all.
  std::string shared_prompt;
  bool shared_system = true;
};

/// Identity of a job, compared field by field when a run resumes. Not part of it: base URL with a
/// profile, keys, timeouts, rates, retries, concurrency.
struct JobIdentity {
  std::string wire_format;
  std::string profile;  ///< provider profile; `custom` with --base-url alone
  std::string model;
  std::string prompt_template;
  std::string system_template;
  std::string id_rule;     ///< `id`, `line`, `hash`, `field:NAME`
  std::string parameters;  ///< canonical JSON of RequestDefaults without the model
  std::string checks;      ///< canonical JSON of the answer checks; empty: none
};

struct JobDifference {
  std::string what;  ///< `model`, `prompt template`, ...
  std::string stored;
  std::string current;
};

/// What differs between the stored job and this one; empty when they are the same.
std::vector<JobDifference> differences(const JobIdentity& stored, const JobIdentity& current);

}  // namespace llmbatch
