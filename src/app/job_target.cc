#include "llmbatch/app/job_target.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "llmbatch/app/api_key.h"
#include "llmbatch/base/text.h"
#include "prompt_cache.h"

namespace llmbatch {
namespace {

bool is_openai(WireFormat format) {
  return format == WireFormat::openai_chat || format == WireFormat::openai_responses ||
         format == WireFormat::openai_embeddings;
}

tl::unexpected<Error> unknown_provider(std::string_view name, std::string_view where) {
  const std::vector<std::string> names = profile_names();
  std::string text = fmt::format("{}: unknown provider '{}'", where, name);
  if (const auto near = nearest_word(name, names))
    text += fmt::format("; did you mean '{}'?", *near);
  text += fmt::format(" (known: {}; anything OpenAI-compatible: --base-url URL)",
                      fmt::join(names, ", "));
  return usage_error(std::move(text));
}

/// Profile and model as the flags name them. A null profile means the generic one.
Status name_profile(const RunModelOptions& options, ProviderConfig& config) {
  config.base_url = options.base_url;
  config.defaults.model = options.model;
  if (!options.provider.empty()) {
    config.profile = find_profile(options.provider);
    if (config.profile == nullptr) return unknown_provider(options.provider, "--provider");
    return {};
  }
  if (!options.base_url.empty()) return {};
  const std::size_t slash = options.model.find('/');
  if (options.model.empty() || slash == std::string::npos) {
    return usage_error(
        options.model.empty()
            ? "no model: name one with --model PROVIDER/NAME (for example openai/gpt-4o-mini), or "
              "a "
              "server with --base-url URL; --rehearse tries a run without either"
            : fmt::format(
                  "--model '{}' names no provider: write PROVIDER/NAME (for example openai/{}), "
                  "or add --provider or --base-url",
                  options.model, options.model));
  }
  config.profile = find_profile(options.model.substr(0, slash));
  if (config.profile == nullptr) return unknown_provider(options.model.substr(0, slash), "--model");
  config.defaults.model = options.model.substr(slash + 1);
  return {};
}

Status choose_wire_format(const RunModelOptions& options, ProviderConfig& config) {
  const WireFormat own =
      config.profile != nullptr ? config.profile->wire_format : WireFormat::openai_chat;
  config.wire_format = options.wire_format.value_or(own);
  if (config.profile != nullptr && is_openai(config.wire_format) != is_openai(own)) {
    return usage_error(fmt::format("provider '{}' does not speak the wire format '{}'",
                                   config.profile->name, to_string(config.wire_format)));
  }
  return {};
}

Status find_key(const RunModelOptions& options, const Environment& environment,
                ProviderConfig& config, std::vector<std::string>& warnings) {
  if (!options.needs_key) {
    // Satisfies make_provider; nothing is ever sent with it.
    if (config.profile != nullptr && config.profile->needs_key) config.key = "unused";
    if (config.base_url.empty() &&
        (config.profile == nullptr || config.profile->base_url.empty())) {
      config.base_url = "https://endpoint.invalid/openai/v1";
    }
    return {};
  }
  ApiKeyRequest request;
  request.file = options.api_key_file;
  const ProviderProfile& profile = config.profile != nullptr ? *config.profile : generic_profile();
  request.provider = profile.name;
  request.required = profile.needs_key;
  for (const std::string_view variable : profile.key_variables) {
    if (!variable.empty()) request.variables.emplace_back(variable);
  }
  const Result<std::string> url = effective_base_url(config);
  if (!url) return forward_error(url);
  request.url = *url;
  const Result<ApiKey> key = read_api_key(request, environment);
  if (!key) return forward_error(key);
  config.key = key->value;
  warnings.insert(warnings.end(), key->warnings.begin(), key->warnings.end());
  return {};
}

void read_profile_environment(const Environment& environment, ProviderConfig& config) {
  if (config.profile == nullptr) return;
  const ProviderProfile& profile = *config.profile;
  if (config.base_url.empty() && !profile.base_url_variable.empty()) {
    config.base_url = environment.non_empty(std::string(profile.base_url_variable)).value_or("");
  }
  for (const HeaderVariable& variable : profile.header_variables) {
    if (variable.variable.empty()) continue;
    if (const auto value = environment.non_empty(std::string(variable.variable))) {
      config.extra_headers.push_back(fmt::format("{}: {}", variable.header, *value));
    }
  }
}

std::string canonical_parameters(const ProviderConfig& config) {
  nlohmann::json object = nlohmann::json::object();
  for (const auto& [name, value] : config.defaults.parameters) {
    object[name] = nlohmann::json::parse(value, nullptr, false);
  }
  if (config.defaults.max_tokens) object["max_tokens"] = *config.defaults.max_tokens;
  if (config.defaults.mark_prompt_cache) object["prompt-cache"] = true;
  if (config.wire_format == WireFormat::anthropic_messages) {
    object["anthropic-version"] = config.anthropic_version;
  }
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Status take_answer_format(const CheckOptions& checks, ProviderConfig& config,
                          std::vector<std::string>& warnings) {
  if (!checks.empty() && config.wire_format == WireFormat::openai_embeddings) {
    return usage_error("answer checks are for text: embeddings cannot be checked");
  }
  config.defaults.answer_format = answer_format(checks);
  if (config.defaults.answer_format.shape == AnswerShape::text) return {};
  for (const auto& [name, value] : config.defaults.parameters) {
    if (name != "response_format" && name != "output_config") continue;
    return usage_error(
        fmt::format("--param {} and {} both set the form of answers; --answer-format text leaves "
                    "it to --param",
                    name, checks.schema_file.empty() ? "--answer-json" : "--schema"));
  }
  for (const std::string& note : answer_format_notes(config)) warnings.push_back("note: " + note);
  return {};
}

JobIdentity identify_job(const RunOptions& options, const ProviderConfig& config) {
  JobIdentity identity;
  identity.wire_format = to_string(config.wire_format);
  // A server that moves to another port stays the same job: the base URL is no part of it.
  identity.profile = config.profile != nullptr ? std::string(config.profile->name) : "custom";
  identity.model = config.defaults.model;
  if (options.input.prompt) identity.prompt_template = options.input.prompt->text;
  if (options.input.system) identity.system_template = options.input.system->text;
  identity.id_rule = options.input.id_rule;
  identity.parameters = canonical_parameters(config);
  identity.checks = canonical_checks(options.checks);
  return identity;
}

/// The simulator stands in for whatever was asked for; without anything, for a generic server.
void point_at_simulator(const std::string& origin, ProviderConfig& config) {
  const bool gemini = config.wire_format == WireFormat::gemini_generate;
  config.base_url = origin + (gemini ? "/v1beta" : "/v1");
  config.key = "rehearsal";
}

}  // namespace

Result<JobTarget> resolve_target(const RunOptions& options, const Environment& environment,
                                 const std::string& rehearsal_url) {
  JobTarget target;
  ProviderConfig& config = target.provider;
  RunModelOptions model = options.model;
  if (!rehearsal_url.empty() && model.model.empty() && model.provider.empty()) {
    model.base_url = rehearsal_url + "/v1";
    model.model = "rehearsal";
  }
  if (const Status named = name_profile(model, config); !named) return forward_error(named);
  if (const Status chosen = choose_wire_format(model, config); !chosen)
    return forward_error(chosen);
  config.anthropic_version = model.anthropic_version;
  config.defaults.max_tokens = model.max_tokens;
  config.defaults.parameters = model.parameters;
  if (options.input.system && !options.input.prompt) {
    config.defaults.system = options.input.system->text;
  }
  if (const Status taken = take_answer_format(options.checks, config, target.warnings); !taken) {
    return forward_error(taken);
  }
  read_profile_environment(environment, config);
  if (!rehearsal_url.empty()) {
    point_at_simulator(rehearsal_url, config);
  } else if (const Status found = find_key(model, environment, config, target.warnings); !found) {
    return forward_error(found);
  }
  if (const auto tokens = demanded_max_tokens(config.wire_format, config.defaults)) {
    target.warnings.push_back(fmt::format(
        "note: this provider demands max_tokens; {} is sent where the input names none", *tokens));
  }
  if (options.reuse.prompt_cache) {
    const Status marked =
        mark_prompt_cache(options.input.prompt ? &options.input.prompt->text : nullptr,
                          options.input.system ? &options.input.system->text : nullptr, config);
    if (!marked) return forward_error(marked);
  }
  target.identity = identify_job(options, config);
  // Where no profile says who answers, the URL does.
  if (config.profile == nullptr || config.profile->base_url.empty()) {
    target.endpoint = hash128(config.base_url);
  }
  if (!config.base_url.empty()) target.shared_endpoint = hash128(config.base_url);
  target.display_model = options.model.model.empty() ? config.defaults.model : options.model.model;
  return target;
}

}  // namespace llmbatch
