// OpenAI's files and batches, and what Together and Mistral made of them.
#include <fmt/format.h>

#include <array>
#include <cstdlib>

#include "batch_dialect.h"
#include "batch_json.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

using enum RemoteBatchState;

constexpr auto kStates = std::to_array<StateWord>({
    {"validating", validating},
    {"queued", validating},
    {"in_progress", in_progress},
    {"running", in_progress},
    {"finalizing", finalizing},
    {"cancelling", cancelling},
    {"canceling", cancelling},
    {"cancellation_requested", cancelling},
    {"completed", completed},
    {"success", completed},
    {"failed", failed},
    {"expired", expired},
    {"timeout_exceeded", expired},
    {"cancelled", cancelled},
    {"canceled", cancelled},
});

constexpr const char* kTagName = "llmbatch";

/// Codes of a rejected batch that say that the account's queue was full.
bool says_full(std::string_view text) {
  return text.find("token_limit_exceeded") != std::string_view::npos ||
         text.find("enqueued token limit") != std::string_view::npos ||
         text.find("Enqueued token limit") != std::string_view::npos;
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

RemoteFile read_file_object(const Json& object) {
  RemoteFile file;
  file.id = text_of(object, "id");
  file.name = text_of(object, "filename");
  file.size_bytes = number_of(object, "bytes").value_or(0);
  file.message = text_of(object, "status_details");
  const std::string status = text_of(object, "status");
  if (status == "pending" || status == "running" || status == "uploading") {
    file.state = RemoteFile::State::processing;
  }
  if (status == "error" || status == "failed") file.state = RemoteFile::State::rejected;
  return file;
}

class OpenAiBatchApi : public BatchApi {
 public:
  explicit OpenAiBatchApi(BatchApiConfig config) : config_(std::move(config)) {}

  const BatchCapabilities& capabilities() const override { return config_.dialect.limits; }

  Status append_line(std::string& out, std::string_view custom_id, const Request& request,
                     bool /*first*/) const override {
    if (auto status = refuse_stream(request.body); !status) return status;
    out += "{\"custom_id\":";
    append_json_string(out, custom_id);
    out += ",\"method\":\"POST\",\"url\":";
    append_json_string(out, line_path());
    out += ",\"body\":";
    append_on_one_line(out, request.body);
    out += "}\n";
    return {};
  }

  std::string file_name(const BatchDraft& draft) const override { return draft.tag + ".jsonl"; }

  ApiRequest upload(const BatchDraft& draft) const override {
    const std::string boundary = "----" + draft.tag;
    ApiRequest request;
    request.method = HttpMethod::post;
    request.url = url("/files");
    request.headers = {"Content-Type: multipart/form-data; boundary=" + boundary};
    request.body = fmt::format(
        "--{0}\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n{1}\r\n"
        "--{0}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{2}\"\r\n"
        "Content-Type: application/jsonl\r\n\r\n",
        boundary, config_.dialect.purpose, file_name(draft));
    request.body_file = draft.file_path;
    request.body_end = fmt::format("\r\n--{}--\r\n", boundary);
    request.fresh_connection = true;
    return request;
  }

  Result<UploadStep> after_upload(const BatchDraft&, const HttpReply& reply) const override {
    auto file = parse_file(reply);
    if (!file) return forward_error(file);
    return UploadStep{std::move(*file), {}};
  }

  ApiRequest get_file(const std::string& id) const override {
    return {.url = url("/files/" + url_part(id))};
  }
  ApiRequest delete_file(const std::string& id) const override {
    return {.method = HttpMethod::remove, .url = url("/files/" + url_part(id))};
  }

  Result<RemoteFile> parse_file(const HttpReply& reply) const override {
    const auto json = read_reply(reply, "file");
    if (!json) return forward_error(json);
    RemoteFile file = read_file_object(*json);
    if (file.id.empty()) return failure("file: the reply names no id");
    return file;
  }

  ApiRequest list_files(const std::string& cursor) const override {
    std::string query = fmt::format("purpose={}&limit=1000", config_.dialect.purpose);
    if (!cursor.empty()) query += "&after=" + url_part(cursor);
    return {.url = url("/files", query)};
  }

  Result<FilePage> parse_files(const HttpReply& reply,
                               const std::string& /*cursor*/) const override {
    const auto json = read_reply(reply, "files");
    if (!json) return forward_error(json);
    FilePage page;
    for (const Json& object : elements(*json)) page.files.push_back(read_file_object(object));
    if (has_more(*json) && !page.files.empty()) page.next = page.files.back().id;
    return page;
  }

  ApiRequest create(const BatchDraft& draft) const override {
    return create_call(
        "/batches", fmt::format(R"({{"input_file_id":{},"endpoint":{},"completion_window":"24h",)"
                                R"("metadata":{{"{}":{}}}}})",
                                json_string(draft.input_file), json_string(line_path()), kTagName,
                                json_string(draft.tag)));
  }
  ApiRequest get(const std::string& id) const override {
    return {.url = url("/batches/" + url_part(id))};
  }
  ApiRequest cancel(const std::string& id) const override {
    return {.method = HttpMethod::post, .url = url("/batches/" + url_part(id) + "/cancel")};
  }
  ApiRequest list(const std::string& cursor) const override {
    std::string query = "limit=100";
    if (!cursor.empty()) query += "&after=" + url_part(cursor);
    return {.url = url("/batches", query)};
  }

  Result<RemoteBatch> parse_batch(const HttpReply& reply) const override {
    const auto json = read_reply(reply, "batch");
    if (!json) return forward_error(json);
    const Json& wrapped = object_of(*json, "job");
    RemoteBatch batch = read_batch(wrapped.empty() ? *json : wrapped);
    if (batch.id.empty()) return failure("batch: the reply names no id");
    return batch;
  }

  Result<BatchPage> parse_batches(const HttpReply& reply,
                                  const std::string& /*cursor*/) const override {
    const auto json = read_reply(reply, "batches");
    if (!json) return forward_error(json);
    BatchPage page;
    for (const Json& object : elements(*json)) page.batches.push_back(read_batch(object));
    if (has_more(*json) && !page.batches.empty()) page.next = page.batches.back().id;
    return page;
  }

  bool says_queue_full(const HttpReply& reply) const override { return says_full(reply.body); }

  ApiRequest download(const std::string& result) const override {
    return {.url = url("/files/" + url_part(result) + "/content")};
  }

  Result<BatchAnswer> parse_answer(std::string_view line) const override {
    return parse_openai_answer(line);
  }

 protected:
  std::string url(std::string_view path, std::string_view query = {}) const {
    return api_url(config_.base_url, path, query);
  }
  std::string line_path() const {
    return std::string(config_.dialect.line_prefix) + endpoint_path(config_.wire_format, "");
  }
  ApiRequest create_call(std::string_view path, std::string body) const {
    ApiRequest request;
    request.method = HttpMethod::post;
    request.url = url(path);
    request.body = std::move(body);
    request.fresh_connection = true;
    return request;
  }
  /// A list, bare or in `data`.
  static const Json& elements(const Json& json) {
    static const Json kNone = Json::array();
    if (json.is_array()) return json;
    const auto data = json.find("data");
    return data == json.end() || !data->is_array() ? kNone : *data;
  }
  static bool has_more(const Json& json) {
    return json.is_object() && json.contains("has_more") && json["has_more"] == true;
  }

  virtual RemoteBatch read_batch(const Json& object) const {
    RemoteBatch batch;
    batch.id = text_of(object, "id");
    batch.state_word = text_of(object, "status");
    batch.state = state_of(batch.state_word, kStates);
    batch.tag = text_of(object_of(object, "metadata"), kTagName);
    batch.input_file = text_of(object, "input_file_id");
    for (const char* name : {"output_file_id", "error_file_id"}) {
      if (std::string id = text_of(object, name); !id.empty()) batch.results.push_back(id);
    }
    const Json& counts = object_of(object, "request_counts");
    const std::int64_t total = number_of(counts, "total").value_or(0);
    if (total > 0) {
      batch.counts = RemoteCounts{total, number_of(counts, "completed").value_or(0),
                                  number_of(counts, "failed").value_or(0)};
    }
    batch.created_at = time_of(object, "created_at");
    batch.expires_at = time_of(object, "expires_at");
    if (!batch.expires_at) batch.expires_at = time_of(object, "job_deadline");
    for (const char* name : {"completed_at", "failed_at", "expired_at", "cancelled_at"}) {
      if (!batch.ended_at) batch.ended_at = time_of(object, name);
    }
    read_errors(object, batch);
    return batch;
  }

  static void read_errors(const Json& object, RemoteBatch& batch) {
    const Json& errors = object_of(object, "errors");
    const auto data = errors.find("data");
    if (data != errors.end() && data->is_array()) {
      for (const Json& error : *data) {
        batch.errors.push_back(
            {text_of(error, "code"), text_of(error, "message"), number_of(error, "line")});
      }
    }
    if (std::string error = text_of(object, "error"); !error.empty()) {
      batch.errors.push_back({"", std::move(error), {}});
    }
    for (const BatchError& error : batch.errors) {
      const bool full = says_full(error.code) || says_full(error.message);
      batch.retry_later = batch.retry_later || (full && batch.state == failed);
    }
  }

  BatchApiConfig config_;
};

/// Together: another purpose, no metadata, the batch wrapped in `job`, lists as bare arrays.
class TogetherBatchApi final : public OpenAiBatchApi {
 public:
  using OpenAiBatchApi::OpenAiBatchApi;

  ApiRequest create(const BatchDraft& draft) const override {
    return create_call(
        "/batches", fmt::format(R"({{"input_file_id":{},"endpoint":{},"completion_window":"24h"}})",
                                json_string(draft.input_file), json_string(line_path())));
  }
};

/// Mistral: jobs of its own, whose model is that of the job.
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
                    json_string(draft.first.model), kTagName, json_string(draft.tag)));
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
  RemoteBatch read_batch(const Json& object) const override {
    RemoteBatch batch;
    batch.id = text_of(object, "id");
    batch.state_word = text_of(object, "status");
    batch.state = state_of(batch.state_word, kStates);
    batch.tag = text_of(object_of(object, "metadata"), kTagName);
    const auto files = object.is_object() ? object.find("input_files") : object.end();
    if (object.is_object() && files != object.end() && files->is_array() && !files->empty() &&
        files->front().is_string()) {
      batch.input_file = files->front().get<std::string>();
    }
    for (const char* name : {"output_file", "error_file"}) {
      if (std::string id = text_of(object, name); !id.empty()) batch.results.push_back(id);
    }
    const std::int64_t total = number_of(object, "total_requests").value_or(0);
    if (total > 0) {
      batch.counts = RemoteCounts{total, number_of(object, "succeeded_requests").value_or(0),
                                  number_of(object, "failed_requests").value_or(0)};
    }
    batch.created_at = time_of(object, "created_at");
    batch.ended_at = time_of(object, "completed_at");
    const auto errors = object.is_object() ? object.find("errors") : object.end();
    if (object.is_object() && errors != object.end() && errors->is_array()) {
      for (const Json& error : *errors) batch.errors.push_back({"", text_of(error, "message"), {}});
    }
    return batch;
  }

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

}  // namespace

std::unique_ptr<BatchApi> make_openai_batch_api(BatchApiConfig config) {
  switch (config.dialect.family) {
    case BatchFamily::together:
      return std::make_unique<TogetherBatchApi>(std::move(config));
    case BatchFamily::mistral:
      return std::make_unique<MistralBatchApi>(std::move(config));
    case BatchFamily::none:
    case BatchFamily::openai:
    case BatchFamily::anthropic:
    case BatchFamily::gemini:
      break;
  }
  return std::make_unique<OpenAiBatchApi>(std::move(config));
}

}  // namespace llmbatch
