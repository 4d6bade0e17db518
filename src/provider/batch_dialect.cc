#include "batch_dialect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "llmbatch/provider/make_batch_api.h"

namespace llmbatch {
namespace {

constexpr std::int64_t kMega = 1'000'000;
constexpr Duration kDay = std::chrono::hours(24);
constexpr std::string_view kNoBatches = "it has no Batch API";
constexpr std::string_view kOwnBatches = "its Batch API is of its own kind, which is not supported";

constexpr BatchCapabilities kOpenAi{
    .max_requests = 50'000, .max_bytes = 200 * kMega, .max_embedding_inputs = 50'000};

constexpr auto kDialects = std::to_array<BatchDialect>({
    {.profile = "openai", .family = BatchFamily::openai, .limits = kOpenAi},
    {.profile = "azure",
     .family = BatchFamily::openai,
     .limits = {.max_requests = 100'000, .max_bytes = 200 * kMega, .window = Duration(0)},
     .line_prefix = ""},
    {.profile = "groq",
     .family = BatchFamily::openai,
     .limits = {.max_requests = 50'000, .max_bytes = 100 * kMega},
     .responses = false,
     .embeddings = false},
    {.profile = "together",
     .family = BatchFamily::together,
     .limits = {.max_requests = 50'000,
                .max_bytes = 100 * kMega,
                .echoes_tag = false,
                .live_counts = false},
     .purpose = "batch-api",
     .responses = false,
     .embeddings = false},
    {.profile = "mistral",
     .family = BatchFamily::mistral,
     .limits = {.max_requests = 1'000'000, .max_bytes = 500 * kMega},
     .responses = false},
    {.profile = "anthropic",
     .family = BatchFamily::anthropic,
     .limits = {.max_requests = 100'000,
                .max_bytes = 256 * kMega,
                .one_model = false,
                .uploads_file = false,
                .echoes_tag = false,
                .live_counts = false,
                .results_kept = 29 * kDay}},
    {.profile = "gemini",
     .family = BatchFamily::gemini,
     .limits = {.max_requests = 1'000'000,
                .max_bytes = 2'000 * kMega,
                .results_kept = 2 * kDay,
                .window = 2 * kDay}},
    {.profile = "fireworks", .why_none = kOwnBatches},
    {.profile = "openrouter", .why_none = kOwnBatches},
    {.profile = "xai", .why_none = kOwnBatches},
    {.profile = "deepseek", .why_none = kNoBatches},
    {.profile = "vllm",
     .why_none = "its server has no Batch API; `vllm run-batch` works on the files of `llmbatch "
                 "batches write`"},
    {.profile = "ollama", .why_none = kNoBatches},
    {.profile = "lmstudio", .why_none = kNoBatches},
});

/// Gateways and servers behind a bare base URL that have batches have OpenAI's.
constexpr BatchDialect kGeneric{.family = BatchFamily::openai, .limits = kOpenAi};
constexpr BatchDialect kGenericAnthropic{.family = BatchFamily::anthropic,
                                         .limits = kDialects[5].limits};
constexpr BatchDialect kGenericGemini{.family = BatchFamily::gemini, .limits = kDialects[6].limits};

const BatchDialect& dialect_of(const ProviderConfig& config) {
  if (config.profile == nullptr) {
    if (config.wire_format == WireFormat::anthropic_messages) return kGenericAnthropic;
    return config.wire_format == WireFormat::gemini_generate ? kGenericGemini : kGeneric;
  }
  for (const BatchDialect& dialect : kDialects) {
    if (dialect.profile == config.profile->name) return dialect;
  }
  return kGeneric;
}

bool fits(const BatchDialect& dialect, WireFormat format) {
  switch (format) {
    case WireFormat::anthropic_messages:
      return dialect.family == BatchFamily::anthropic;
    case WireFormat::gemini_generate:
      return dialect.family == BatchFamily::gemini;
    case WireFormat::openai_responses:
      if (!dialect.responses) return false;
      break;
    case WireFormat::openai_embeddings:
      if (!dialect.embeddings) return false;
      break;
    case WireFormat::openai_chat:
      break;
  }
  return dialect.family != BatchFamily::anthropic && dialect.family != BatchFamily::gemini;
}

/// Files and batches belong to the resource: a classic base URL names a deployment of it.
void split_deployment(std::string& base, std::string& deployment) {
  constexpr std::string_view kDeployments = "/deployments/";
  const std::size_t query = std::min(base.find('?'), base.size());
  const std::size_t start = base.substr(0, query).find(kDeployments);
  if (start == std::string::npos) return;
  const std::size_t name = start + kDeployments.size();
  deployment = base.substr(name, std::min(base.find('/', name), query) - name);
  base.erase(start, query - start);
}

}  // namespace

Result<std::unique_ptr<BatchApi>> make_batch_api(const ProviderConfig& config) {
  const BatchDialect& dialect = dialect_of(config);
  const std::string name(dialect.profile.empty() ? "this server" : dialect.profile);
  if (dialect.family == BatchFamily::none) {
    return usage_error(fmt::format("provider batches: {}: {}", name, dialect.why_none));
  }
  if (!fits(dialect, config.wire_format)) {
    return usage_error(fmt::format("provider batches: {}: none for the endpoint '{}'", name,
                                   to_string(config.wire_format)));
  }
  auto base = effective_base_url(config);
  if (!base) return forward_error(base);
  BatchApiConfig made{dialect, config.wire_format, std::move(*base), {}};
  if (name == "azure") split_deployment(made.base_url, made.deployment);
  if (dialect.family == BatchFamily::anthropic) return make_anthropic_batch_api(std::move(made));
  if (dialect.family == BatchFamily::gemini) return make_gemini_batch_api(std::move(made));
  return make_openai_batch_api(std::move(made));
}

std::unique_ptr<BatchApi> offline_batch_api(const ProviderConfig& config) {
  auto own = make_batch_api(config);
  if (own) return std::move(*own);
  return make_openai_batch_api({kGeneric, config.wire_format, "http://offline.invalid/v1", {}});
}

}  // namespace llmbatch
