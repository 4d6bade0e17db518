#include "llmbatch/provider/profile.h"

namespace llmbatch {
namespace {

constexpr auto kProfiles = std::to_array<ProviderProfile>({
    // OpenAI's reasoning models reject max_tokens, and its other models take the new name too.
    {.name = "openai",
     .base_url = "https://api.openai.com/v1",
     .key_variables = {"OPENAI_API_KEY"},
     .max_tokens_field = "max_completion_tokens",
     .object_answers = true,
     .extended_fields = false,
     .header_variables = {{{"OPENAI_ORG_ID", "OpenAI-Organization"},
                           {"OPENAI_PROJECT_ID", "OpenAI-Project"}}}},
    {.name = "anthropic",
     .base_url = "https://api.anthropic.com/v1",
     .key_variables = {"ANTHROPIC_API_KEY"},
     .key_header = KeyHeader::x_api_key,
     .wire_format = WireFormat::anthropic_messages,
     .rate_limits = RateLimitFamily::anthropic},
    // The SDKs let GOOGLE_API_KEY win when both are set.
    {.name = "gemini",
     .base_url = "https://generativelanguage.googleapis.com/v1beta",
     .key_variables = {"GOOGLE_API_KEY", "GEMINI_API_KEY"},
     .key_header = KeyHeader::x_goog_api_key,
     .wire_format = WireFormat::gemini_generate,
     .rate_limits = RateLimitFamily::none,
     .usage = UsageConvention::reasoning_unnamed},
    {.name = "azure",
     .key_variables = {"AZURE_OPENAI_API_KEY", "AZURE_OPENAI_KEY", "AZURE_API_KEY"},
     .key_header = KeyHeader::api_key,
     .max_tokens_field = "max_completion_tokens",
     .object_answers = true,
     .extended_fields = false,
     .base_url_variable = "AZURE_OPENAI_ENDPOINT"},
    {.name = "mistral",
     .base_url = "https://api.mistral.ai/v1",
     .key_variables = {"MISTRAL_API_KEY"},
     .seed_field = "random_seed",
     .rate_limits = RateLimitFamily::mistral},
    {.name = "groq",
     .base_url = "https://api.groq.com/openai/v1",
     .key_variables = {"GROQ_API_KEY"},
     .max_tokens_field = "max_completion_tokens",
     .rate_limits = RateLimitFamily::groq},
    {.name = "together",
     .base_url = "https://api.together.xyz/v1",
     .key_variables = {"TOGETHER_API_KEY"},
     .rate_limits = RateLimitFamily::together},
    {.name = "fireworks",
     .base_url = "https://api.fireworks.ai/inference/v1",
     .key_variables = {"FIREWORKS_API_KEY"},
     .rate_limits = RateLimitFamily::fireworks},
    {.name = "openrouter",
     .base_url = "https://openrouter.ai/api/v1",
     .key_variables = {"OPENROUTER_API_KEY"},
     .rate_limits = RateLimitFamily::openrouter},
    {.name = "deepseek",
     .base_url = "https://api.deepseek.com",
     .key_variables = {"DEEPSEEK_API_KEY"},
     .rate_limits = RateLimitFamily::none,
     .answer_forms = AnswerForms::json_only},
    {.name = "xai",
     .base_url = "https://api.x.ai/v1",
     .key_variables = {"XAI_API_KEY"},
     .usage = UsageConvention::reasoning_apart},
    {.name = "vllm",
     .base_url = "http://localhost:8000/v1",
     .key_variables = {"VLLM_API_KEY"},
     .rate_limits = RateLimitFamily::none,
     .needs_key = false},
    {.name = "ollama",
     .base_url = "http://localhost:11434/v1",
     .key_variables = {"OLLAMA_API_KEY"},
     .rate_limits = RateLimitFamily::none,
     .needs_key = false},
    {.name = "lmstudio",
     .base_url = "http://localhost:1234/v1",
     .key_variables = {"LMSTUDIO_API_KEY"},
     .rate_limits = RateLimitFamily::none,
     .answer_forms = AnswerForms::schema_only,
     .needs_key = false},
});

// Servers behind a bare base URL (gateways, proxies) copy OpenAI's header names when they send any.
constexpr ProviderProfile kGeneric{.key_variables = {"LLMBATCH_API_KEY"}, .needs_key = false};

}  // namespace

const ProviderProfile* find_profile(std::string_view name) {
  for (const auto& profile : kProfiles) {
    if (profile.name == name) return &profile;
  }
  return nullptr;
}

const ProviderProfile& generic_profile() { return kGeneric; }

std::span<const ProviderProfile> all_profiles() { return kProfiles; }

std::vector<std::string> profile_names() {
  std::vector<std::string> names;
  names.reserve(kProfiles.size());
  for (const auto& profile : kProfiles) names.emplace_back(profile.name);
  return names;
}

}  // namespace llmbatch
