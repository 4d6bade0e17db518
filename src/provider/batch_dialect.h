// BatchDialect: what differs between the providers' Batch APIs, one row each.
// Sources: the providers' API references on batches and files.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "llmbatch/port/batch_api.h"
#include "llmbatch/provider/make_provider.h"

namespace llmbatch {

enum class BatchFamily : std::uint8_t { none, openai, together, mistral, anthropic, gemini };

struct BatchDialect {
  std::string_view profile = {};  ///< empty: any OpenAI-compatible server
  BatchFamily family = BatchFamily::none;
  std::string_view why_none = {};  ///< with `none`
  BatchCapabilities limits = {};
  std::string_view line_prefix = "/v1";  ///< of the `url` of a line, before the endpoint's path
  std::string_view purpose = "batch";
  bool responses = true;   ///< takes batches for /responses
  bool embeddings = true;  ///< and for /embeddings
};

/// What an API is made of.
struct BatchApiConfig {
  const BatchDialect& dialect;
  WireFormat wire_format;
  std::string base_url;    ///< as effective_base_url() gives it, without a deployment
  std::string deployment;  ///< Azure's classic URLs name it; empty: the model does
};

std::unique_ptr<BatchApi> make_openai_batch_api(BatchApiConfig config);
std::unique_ptr<BatchApi> make_anthropic_batch_api(BatchApiConfig config);
std::unique_ptr<BatchApi> make_gemini_batch_api(BatchApiConfig config);

}  // namespace llmbatch
