// Mistral's batch jobs: OpenAI's files, jobs of its own whose model is that of the job.
#include <fmt/format.h>

#include <array>
#include <cstdlib>

#include "llmbatch/base/text.h"
#include "openai_batch_api.h"

namespace llmbatch {
namespace {

class MistralBatchApi final : public OpenAiBatchApi {
 public:
  using OpenAiBatchApi::OpenAiBatchApi;

  Status append_line(std::string& out, std::string_view custom_id, const Request& request,
                     bool /*first*/) const override {
    if (auto status = refuse_stream(request.body); !status) return status;
    out += "{\"custom_id\":";
    append_json_string(out, custom_id);
    out += ",\"body\":";
    append_without_member(out, request.body, "model");
    out += "}\n";
    return {};
  }

  ApiRequest list_files(const std::string& cursor) const override {
    return {.url = url("/files", "purpose=batch&page_size=100&page=" + page_of(cursor))};
  }
  Result<FilePage> parse_files(const HttpReply& reply, const std::string& cursor) const override {
    auto page = OpenAiBatchApi::parse_files(reply, cursor);
    if (page) page->next = next_page(cursor, page->files.size());
    return page;
  }

  ApiRequest create(const BatchDraft& draft) const override {
    return create_call(
        "/batch/jobs",
        fmt::format(R"({{"input_files":[{}],"endpoint":{},"model":{},"timeout_hours":24,)"
                    R"("metadata":{{"{}":{}}}}})",
                    json_string(draft.input_file), json_string(line_path()),
                    json_string(draft.first.model), kBatchTagName, json_string(draft.tag)));
  }
  ApiRequest get(const std::string& id) const override {
    return {.url = url("/batch/jobs/" + url_part(id))};
  }
  ApiRequest cancel(const std::string& id) const override {
    return {.method = HttpMethod::post, .url = url("/batch/jobs/" + url_part(id) + "/cancel")};
  }
  ApiRequest list(const std::string& cursor) const override {
    return {.url = url("/batch/jobs", "order_by=-created&page_size=100&page=" + page_of(cursor))};
  }
  Result<BatchPage> parse_batches(const HttpReply& reply,
                                  const std::string& cursor) const override {
    auto page = OpenAiBatchApi::parse_batches(reply, cursor);
    if (page) page->next = next_page(cursor, page->batches.size());
    return page;
  }

 protected:
  RemoteBatch read_batch(const Json& object) const override;

 private:
  // Pages are numbered: the number is the cursor, and behind a full page there may be another one.
  static constexpr std::size_t kPage = 100;
  static std::string page_of(const std::string& cursor) {
    return cursor.empty() ? "0" : url_part(cursor);
  }
  static std::string next_page(const std::string& cursor, std::size_t size) {
    if (size < kPage) return {};
    return std::to_string(std::strtoull(cursor.c_str(), nullptr, 10) + 1);
  }
};

RemoteBatch MistralBatchApi::read_batch(const Json& object) const {
  RemoteBatch batch = read_identity(object);
  const Json& files = array_of(object, "input_files");
  if (!files.empty() && files.front().is_string()) {
    batch.input_file = files.front().get<std::string>();
  }
  add_results(object, std::array{"output_file", "error_file"}, batch);
  const std::int64_t total = count_of(object, "total_requests");
  if (total > 0) {
    batch.counts = RemoteCounts{total, count_of(object, "succeeded_requests"),
                                count_of(object, "failed_requests")};
  }
  batch.ended_at = time_of(object, "completed_at");
  for (const Json& error : array_of(object, "errors")) {
    batch.errors.push_back({"", text_of(error, "message"), {}});
  }
  find_full_queue(batch);
  return batch;
}

}  // namespace

std::unique_ptr<BatchApi> make_mistral_batch_api(BatchApiConfig config) {
  return std::make_unique<MistralBatchApi>(std::move(config));
}

}  // namespace llmbatch
