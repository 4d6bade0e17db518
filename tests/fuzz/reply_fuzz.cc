// Any bytes as a reply and as a batch line: no crash, and a 200 without an output is never a
// success.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "llmbatch/provider/make_provider.h"

namespace {

using namespace llmbatch;

std::vector<std::unique_ptr<Provider>> make_all() {
  std::vector<std::unique_ptr<Provider>> providers;
  for (const auto format :
       {WireFormat::openai_chat, WireFormat::openai_responses, WireFormat::openai_embeddings,
        WireFormat::anthropic_messages, WireFormat::gemini_generate}) {
    ProviderConfig config;
    config.profile = find_profile(format == WireFormat::openai_chat ? "openrouter" : "openai");
    config.wire_format = format;
    config.key = "sk-fuzz-key";
    config.defaults.model = "m";
    auto made = make_provider(std::move(config));
    if (!made) std::abort();
    providers.push_back(std::move(*made));
  }
  return providers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto providers = make_all();
  if (size == 0) return 0;
  constexpr std::array<int, 8> kStatuses{200, 200, 200, 400, 403, 429, 500, 301};
  HttpReply reply;
  reply.status = kStatuses[data[0] % kStatuses.size()];
  reply.body.assign(reinterpret_cast<const char*>(data + 1), size - 1);
  for (const auto& provider : providers) {
    const auto outcome = provider->parse_response(reply);
    if (outcome.error == ErrorClass::none && outcome.completion.output.empty()) std::abort();
    if (outcome.message.find("sk-fuzz-key") != std::string::npos) std::abort();
    LineFields batch;
    batch.form = LineForm::batch_line;
    batch.body = reply.body;
    Request request;
    if (provider->build_request(batch, request) && request.body.empty()) std::abort();
    (void)provider->has_own_model(batch);
    LineFields messages;
    messages.form = LineForm::messages;
    messages.messages = reply.body;
    const std::array<RawField, 3> fields{
        {{"tools", reply.body}, {"response_format", reply.body}, {"generationConfig", reply.body}}};
    messages.fields = fields;
    if (provider->build_request(messages, request) && request.url.empty()) std::abort();
  }
  return 0;
}
