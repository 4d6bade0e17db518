// Any bytes as a result line, a batch, a list and a request body: no crash, an answer is a part of
// its line, and a request line is one line.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "llmbatch/provider/make_batch_api.h"

namespace {

using namespace llmbatch;

std::vector<std::unique_ptr<BatchApi>> make_all() {
  std::vector<std::unique_ptr<BatchApi>> apis;
  for (const char* name : {"openai", "together", "mistral", "anthropic", "gemini"}) {
    ProviderConfig config;
    config.profile = find_profile(name);
    config.wire_format = config.profile->wire_format;
    config.key = "sk-fuzz-key";
    auto made = make_batch_api(config);
    if (!made) std::abort();
    apis.push_back(std::move(*made));
  }
  return apis;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto apis = make_all();
  HttpReply reply;
  reply.status = 200;
  reply.body.assign(reinterpret_cast<const char*>(data), size);
  for (const auto& api : apis) {
    const auto answer = api->parse_answer(reply.body);
    if (answer && answer->answered && answer->reply.status == 200 &&
        reply.body.find(answer->reply.body) == std::string::npos) {
      std::abort();
    }
    (void)api->parse_file(reply);
    (void)api->parse_files(reply, "");
    const auto batch = api->parse_batch(reply);
    if (batch && !batch->id.empty() && api->get(batch->id).url.find(' ') != std::string::npos) {
      std::abort();
    }
    (void)api->parse_batches(reply, "1");
    Request request;
    request.body = reply.body;
    std::string line;
    if (api->append_line(line, "c", request, true) &&
        std::count(line.begin(), line.end(), '\n') != 1) {
      std::abort();
    }
  }
  return 0;
}
