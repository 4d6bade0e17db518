#include "request_fields.h"

#include <algorithm>
#include <array>

#include "llmbatch/base/text.h"
#include "llmbatch/provider/make_provider.h"
#include "raw_json.h"

namespace llmbatch {
namespace {

using enum FieldShape;

constexpr auto kChat = std::to_array<FieldRule>({
    {"audio", "audio"},
    {"frequency_penalty", "frequency_penalty"},
    {"function_call", "function_call"},
    {"functions", "functions"},
    {"logit_bias", "logit_bias"},
    {"logprobs", "logprobs"},
    {"metadata", "metadata"},
    {"modalities", "modalities"},
    {"n", "n"},
    {"parallel_tool_calls", "parallel_tool_calls"},
    {"prediction", "prediction"},
    {"presence_penalty", "presence_penalty"},
    {"prompt_cache_key", "prompt_cache_key"},
    {"prompt_cache_options", "prompt_cache_options"},
    {"prompt_cache_retention", "prompt_cache_retention"},
    {"reasoning_effort", "reasoning_effort"},
    {"response_format", "response_format"},
    {"safety_identifier", "safety_identifier"},
    {"service_tier", "service_tier"},
    {"stop", "stop"},
    {"store", "store"},
    {"temperature", "temperature"},
    {"tool_choice", "tool_choice"},
    {"tools", "tools"},
    {"top_logprobs", "top_logprobs"},
    {"top_p", "top_p"},
    {"user", "user"},
    {"verbosity", "verbosity"},
    {"web_search_options", "web_search_options"},
});

// Understood by vLLM, SGLang, Ollama, Together, Fireworks, DeepSeek, Mistral and others.
constexpr auto kChatExtended = std::to_array<FieldRule>({
    {"chat_template_kwargs", "chat_template_kwargs"},
    {"enable_thinking", "enable_thinking"},
    {"guided_choice", "guided_choice"},
    {"guided_grammar", "guided_grammar"},
    {"guided_json", "guided_json"},
    {"guided_regex", "guided_regex"},
    {"ignore_eos", "ignore_eos"},
    {"include_reasoning", "include_reasoning"},
    {"min_p", "min_p"},
    {"min_tokens", "min_tokens"},
    {"prompt_mode", "prompt_mode"},
    {"reasoning", "reasoning"},
    {"reasoning_format", "reasoning_format"},
    {"repetition_penalty", "repetition_penalty"},
    {"safe_prompt", "safe_prompt"},
    {"stop_token_ids", "stop_token_ids"},
    {"structured_outputs", "structured_outputs"},
    {"thinking", "thinking"},
    {"top_k", "top_k"},
});

constexpr auto kOpenrouterOnly = std::to_array<FieldRule>({
    {"models", "models"},
    {"plugins", "plugins"},
    {"provider", "provider"},
    {"route", "route"},
    {"top_a", "top_a"},
    {"transforms", "transforms"},
});

constexpr auto kResponses = std::to_array<FieldRule>({
    {"background", "background"},
    {"conversation", "conversation"},
    {"include", "include"},
    {"max_completion_tokens", "max_output_tokens", output_cap},
    {"max_output_tokens", "max_output_tokens", output_cap},
    {"max_tokens", "max_output_tokens", output_cap},
    {"max_tool_calls", "max_tool_calls"},
    {"metadata", "metadata"},
    {"parallel_tool_calls", "parallel_tool_calls"},
    {"previous_response_id", "previous_response_id"},
    {"prompt_cache_key", "prompt_cache_key"},
    {"prompt_cache_options", "prompt_cache_options"},
    {"reasoning", "reasoning"},
    {"reasoning_effort", "reasoning", responses_effort},
    {"response_format", "format", responses_format, true},
    {"safety_identifier", "safety_identifier"},
    {"service_tier", "service_tier"},
    {"store", "store"},
    {"temperature", "temperature"},
    {"text", "text"},
    {"tool_choice", "tool_choice"},
    {"tools", "tools", responses_tools},
    {"top_logprobs", "top_logprobs"},
    {"top_p", "top_p"},
    {"truncation", "truncation"},
    {"user", "user"},
    {"verbosity", "verbosity", raw, true},
});

constexpr auto kEmbeddings = std::to_array<FieldRule>({
    {"dimensions", "dimensions"},
    {"encoding_format", "encoding_format"},
    {"user", "user"},
});

constexpr auto kAnthropic = std::to_array<FieldRule>({
    {"cache_control", "cache_control"},
    {"inference_geo", "inference_geo"},
    {"max_completion_tokens", "max_tokens", output_cap},
    {"max_tokens", "max_tokens", output_cap},
    {"mcp_servers", "mcp_servers"},
    {"metadata", "metadata"},
    {"output_config", "output_config"},
    {"reasoning_effort", "effort", raw, true},
    {"response_format", "format", anthropic_format, true},
    {"service_tier", "service_tier"},
    {"stop", "stop_sequences", list},
    {"stop_sequences", "stop_sequences"},
    {"temperature", "temperature"},
    {"thinking", "thinking"},
    {"tool_choice", "tool_choice", anthropic_tool_choice},
    {"tools", "tools", anthropic_tools},
    {"top_k", "top_k"},
    {"top_p", "top_p"},
});

constexpr auto kGemini = std::to_array<FieldRule>({
    {"cachedContent", "cachedContent"},
    {"frequency_penalty", "frequencyPenalty", raw, true},
    {"generationConfig", "generationConfig"},
    {"generation_config", "generationConfig"},
    {"logprobs", "responseLogprobs", raw, true},
    {"max_completion_tokens", "maxOutputTokens", output_cap, true},
    {"max_tokens", "maxOutputTokens", output_cap, true},
    {"n", "candidateCount", raw, true},
    {"presence_penalty", "presencePenalty", raw, true},
    {"reasoning_effort", "thinkingConfig", gemini_effort, true},
    {"response_format", "responseMimeType", gemini_format, true},
    {"safetySettings", "safetySettings"},
    {"safety_settings", "safetySettings"},
    {"seed", "seed", raw, true},
    {"stop", "stopSequences", list, true},
    {"temperature", "temperature", raw, true},
    {"toolConfig", "toolConfig"},
    {"tools", "tools", gemini_tools},
    {"top_k", "topK", raw, true},
    {"top_logprobs", "logprobs", raw, true},
    {"top_p", "topP", raw, true},
});

bool is_content_field(std::string_view name) {
  constexpr std::array<std::string_view, 8> kContent{
      "model", "messages", "prompt", "input", "system", "instructions", "contents", "stream"};
  return std::find(kContent.begin(), kContent.end(), name) != kContent.end();
}

/// OpenAI's sampling fields; asking for one that the wire format lacks is a mistake worth telling.
bool is_openai_field(std::string_view name) {
  return name == "seed" || std::any_of(kChat.begin(), kChat.end(),
                                       [&](const FieldRule& rule) { return rule.from == name; });
}

}  // namespace

FieldTable::FieldTable(WireFormat format, const ProviderProfile& profile) {
  const auto take = [this](const auto& rules) {
    rules_.insert(rules_.end(), rules.begin(), rules.end());
  };
  switch (format) {
    case WireFormat::openai_chat:
      take(kChat);
      if (profile.extended_fields) take(kChatExtended);
      if (profile.name == "openrouter") take(kOpenrouterOnly);
      rules_.push_back({"max_tokens", profile.max_tokens_field, output_cap});
      rules_.push_back({"max_completion_tokens", profile.max_tokens_field, output_cap});
      rules_.push_back({"seed", profile.seed_field});
      if (profile.seed_field != "seed") rules_.push_back({profile.seed_field, profile.seed_field});
      break;
    case WireFormat::openai_responses:
      take(kResponses);
      group_ = "text";
      break;
    case WireFormat::openai_embeddings:
      take(kEmbeddings);
      break;
    case WireFormat::anthropic_messages:
      take(kAnthropic);
      group_ = "output_config";
      break;
    case WireFormat::gemini_generate:
      take(kGemini);
      group_ = "generationConfig";
      break;
  }
  std::sort(rules_.begin(), rules_.end(),
            [](const FieldRule& a, const FieldRule& b) { return a.from < b.from; });
}

const FieldRule* FieldTable::find(std::string_view name) const {
  const auto at = std::lower_bound(
      rules_.begin(), rules_.end(), name,
      [](const FieldRule& rule, std::string_view wanted) { return rule.from < wanted; });
  return at != rules_.end() && at->from == name ? &*at : nullptr;
}

Result<Parameters> Parameters::make(WireFormat format, const ProviderProfile& profile,
                                    const RequestDefaults& defaults) {
  Parameters parameters{FieldTable(format, profile)};
  for (const auto& [name, value] : defaults.parameters) {
    if (is_content_field(name)) {
      return usage_error(name + ": cannot be set as a parameter (value " +
                         truncate_chars(value, 60) + ")");
    }
    if (parameters.table_.find(name) == nullptr && is_openai_field(name)) {
      return usage_error(name + ": not a request field of wire format " +
                         std::string(to_string(format)));
    }
    if (auto added = parameters.add(name, value); !added) {
      return usage_error(added.error().message);
    }
  }
  const bool capped = parameters.job_cap_ > 0;
  auto cap = defaults.max_tokens;
  if (!cap && !capped) cap = demanded_max_tokens(format, defaults);
  if (cap && parameters.table_.find("max_tokens") != nullptr) {
    if (auto added = parameters.add("max_tokens", std::to_string(*cap)); !added) {
      return usage_error(added.error().message);
    }
  }
  if (auto rendered = parameters.append(parameters.rendered_, {}, parameters.job_cap_); !rendered) {
    return usage_error(rendered.error().message);
  }
  return parameters;
}

Status Parameters::add(std::string name, std::string value) {
  const FieldRule* known = table_.find(name);
  FieldRule rule = known != nullptr ? *known : FieldRule{};
  std::erase_if(job_, [&](const JobMember& member) {
    return known != nullptr ? member.rule.to == rule.to && member.rule.grouped == rule.grouped
                            : member.name == name;
  });
  job_.push_back({rule, std::move(name), std::move(value), {}});
  auto& member = job_.back();
  // A name that is in no table is what the user insists on: it is sent as it is.
  if (known == nullptr) member.rule = {member.name, member.name};
  if (rule.shape == output_cap) job_cap_ = raw_integer(member.value).value_or(0);
  return append_field(member.rendered, member.rule, member.value);
}

bool Parameters::overridden(const JobMember& member, std::span<const Member> own) const {
  return std::any_of(own.begin(), own.end(), [&](const Member& other) {
    return other.rule.to == member.rule.to && other.rule.grouped == member.rule.grouped;
  });
}

Status Parameters::append(std::string& out, std::span<const RawField> fields,
                          TokenCount& cap) const {
  constexpr std::size_t kMaxFields = 64;
  std::array<Member, kMaxFields> members;
  std::size_t count = 0;
  cap = job_cap_;
  for (const auto& field : fields) {
    const FieldRule* rule = table_.find(field.name);
    // A null is the same as no field at all.
    if (rule == nullptr || field.value == "null") continue;
    const auto end = members.begin() + static_cast<std::ptrdiff_t>(count);
    const auto same = std::find_if(members.begin(), end, [&](const Member& member) {
      return member.rule.to == rule->to && member.rule.grouped == rule->grouped;
    });
    if (same == end && count == kMaxFields) break;
    if (same == end) ++count;
    *same = {*rule, field.value};
    if (rule->shape == output_cap) cap = raw_integer(field.value).value_or(0);
  }
  if (count == 0 && !rendered_.empty()) {
    out += rendered_;
    return {};
  }
  const std::span<const Member> own(members.data(), count);
  for (const auto& member : job_) {
    const bool held_back = member.rule.grouped || (member.rule.to == table_.group());
    if (!held_back && !overridden(member, own)) out += member.rendered;
  }
  for (const auto& member : own) {
    if (member.rule.grouped || member.rule.to == table_.group()) continue;
    if (auto status = append_field(out, member.rule, member.value); !status) return status;
  }
  if (table_.group().empty()) return {};
  return append_group(out, own);
}

Status Parameters::append_group(std::string& out, std::span<const Member> own) const {
  // The group's raw object comes first; of it the line's replaces the job's.
  std::string_view object;
  bool from_line = false;
  for (const auto& member : job_) {
    if (!member.rule.grouped && member.rule.to == table_.group()) object = member.value;
  }
  for (const auto& member : own) {
    if (member.rule.grouped || member.rule.to != table_.group()) continue;
    object = member.value;
    from_line = true;
  }
  if (!object.empty() && !is_json_object(object)) {
    return failure(std::string(table_.group()) + ": not an object");
  }
  const auto start = out.size();
  out.append(",\"").append(table_.group()).append("\":{");
  const auto first = out.size();
  if (const auto inner = inner_json(object); !inner.empty()) out.append(",").append(inner);
  for (const auto& member : job_) {
    if (!member.rule.grouped || overridden(member, own)) continue;
    if (raw_member(object, member.rule.to).empty()) out += member.rendered;
  }
  for (const auto& member : own) {
    if (!member.rule.grouped) continue;
    if (from_line && !raw_member(object, member.rule.to).empty()) continue;
    if (auto status = append_field(out, member.rule, member.value); !status) return status;
  }
  if (out.size() == first) {
    out.resize(start);
    return {};
  }
  out.erase(first, 1);
  out += '}';
  return {};
}

}  // namespace llmbatch
