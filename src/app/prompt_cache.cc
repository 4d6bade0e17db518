#include "prompt_cache.h"

#include <fmt/format.h>

#include "llmbatch/input/prompt_template.h"

namespace llmbatch {
namespace {

Status refuse_wire_format(const ProviderConfig& config) {
  const std::string who =
      config.profile != nullptr ? std::string(config.profile->name) : "this wire format";
  switch (config.wire_format) {
    case WireFormat::anthropic_messages:
      return {};
    case WireFormat::openai_chat:
    case WireFormat::openai_responses:
    case WireFormat::gemini_generate:
      return usage_error(fmt::format(
          "--prompt-cache: {} has no marks for a prompt cache: where there is one, the provider "
          "finds by itself what requests begin with",
          who));
    case WireFormat::openai_embeddings:
      return usage_error("--prompt-cache: embeddings have no prompt cache");
  }
  return {};
}

}  // namespace

Status mark_prompt_cache(const std::string* prompt_template, const std::string* system_template,
                         ProviderConfig& config) {
  if (Status refused = refuse_wire_format(config); !refused) return refused;
  RequestDefaults& defaults = config.defaults;
  defaults.mark_prompt_cache = true;
  if (prompt_template == nullptr) return {};
  auto prompt = PromptTemplate::parse(*prompt_template, "--prompt");
  if (!prompt) return forward_error(prompt);
  if (system_template != nullptr) {
    auto system = PromptTemplate::parse(*system_template, "--system");
    if (!system) return forward_error(system);
    defaults.shared_system = system->is_constant();
  }
  // Behind a system message that differs, nothing is shared.
  if (defaults.shared_system && !prompt->is_constant()) {
    defaults.shared_prompt = prompt->leading_text();
  }
  const bool common_system = system_template != nullptr && defaults.shared_system;
  if (!common_system && defaults.shared_prompt.find_first_not_of(' ') == std::string::npos) {
    return usage_error(
        "--prompt-cache: the requests begin with nothing they share; put what is common into "
        "--system or at the beginning of the prompt template");
  }
  return {};
}

}  // namespace llmbatch
