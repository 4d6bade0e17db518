// Any bytes as a result line, a batch, a list, the place of an upload and a request body: no crash,
// an answer is a part of its line, nothing follows it there, a key goes to no other host, and a
// request line is one line.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "llmbatch/provider/make_batch_api.h"

namespace {

using namespace llmbatch;

std::vector<std::unique_ptr<BatchApi>> make_all() {
  std::vector<std::unique_ptr<BatchApi>> apis;
  for (const char* name : {"openai", "azure", "together", "mistral", "anthropic", "gemini"}) {
    ProviderConfig config;
    config.profile = find_profile(name);
    if (config.profile->name == "azure") {
      config.base_url = "https://r.openai.azure.com/openai/deployments/d?api-version=v";
    }
    config.wire_format = config.profile->wire_format;
    config.key = "sk-fuzz-key";
    auto made = make_batch_api(config);
    if (!made) std::abort();
    apis.push_back(std::move(*made));
  }
  return apis;
}

/// By other means than the code under test.
bool leads_to_google(const std::string& url) {
  static const std::regex kGoogle(R"(https://[A-Za-z0-9.-]+\.googleapis\.com(:[0-9]*)?(/|$))");
  return std::regex_search(url, kGoogle, std::regex_constants::match_continuous);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto apis = make_all();
  HttpReply reply;
  reply.status = 200;
  reply.body.assign(reinterpret_cast<const char*>(data), size);
  for (const auto& api : apis) {
    const auto answer = api->parse_answer(reply.body);
    const bool success = answer && answer->answered && answer->reply.status == 200 &&
                         !answer->reply.body.starts_with("{\"error\":");
    if (success && reply.body.find(answer->reply.body) == std::string::npos) std::abort();
    if (answer && api->parse_answer(reply.body + reply.body)) std::abort();
    HttpReply redirect;
    redirect.status = 200;
    redirect.headers = "X-Goog-Upload-URL: " + reply.body + "\r\n";
    const auto step = api->after_upload({}, redirect);
    if (step && step->request && !leads_to_google(step->request->url)) std::abort();
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
