// OpenAI's files and batches, and what Together made of them.
#include "openai_batch_api.h"

#include <fmt/format.h>

#include <array>

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

/// Words of a rejected batch that say that the account's queue was full.
bool says_full(std::string_view text) {
  const std::string lower = to_lower_ascii(text);
  return lower.find("token_limit_exceeded") != std::string::npos ||
         lower.find("enqueued token limit") != std::string::npos;
}

RemoteFile read_file_object(const Json& object) {
  RemoteFile file;
  file.id = text_of(object, "id");
  file.name = text_of(object, "filename");
  file.size_bytes = number_of(object, "bytes").value_or(0);
  file.message = text_of(object, "status_details");
  const std::string status = to_lower_ascii(text_of(object, "status"));
  for (const char* word : {"pending", "running", "uploading", "processing"}) {
    if (status == word) file.state = RemoteFile::State::processing;
  }
  if (status == "error" || status == "failed") file.state = RemoteFile::State::rejected;
  return file;
}

/// A list, bare or in `data`.
const Json& elements(const Json& json) { return json.is_array() ? json : array_of(json, "data"); }

}  // namespace

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

Status OpenAiBatchApi::append_line(std::string& out, std::string_view custom_id,
                                   const Request& request, bool /*first*/) const {
  if (auto status = refuse_stream(request.body); !status) return status;
  out += "{\"custom_id\":";
  append_json_string(out, custom_id);
  out += ",\"method\":\"POST\",\"url\":";
  append_json_string(out, line_path());
  out += ",\"body\":";
  if (config_.deployment.empty()) {
    append_on_one_line(out, request.body);
  } else {
    // In a line it is the model that names the deployment.
    append_without_member(out, request.body, "model");
    const bool alone = out.ends_with("{}");
    out.pop_back();
    out += fmt::format("{}\"model\":{}}}", alone ? "" : ",", json_string(config_.deployment));
  }
  out += "}\n";
  return {};
}

ApiRequest OpenAiBatchApi::upload(const BatchDraft& draft) const {
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

Result<UploadStep> OpenAiBatchApi::after_upload(const BatchDraft& /*draft*/,
                                                const HttpReply& reply) const {
  auto file = parse_file(reply);
  if (!file) return forward_error(file);
  return UploadStep{std::move(*file), {}};
}

ApiRequest OpenAiBatchApi::get_file(const std::string& id) const {
  return {.url = url("/files/" + url_part(id))};
}

ApiRequest OpenAiBatchApi::delete_file(const std::string& id) const {
  return {.method = HttpMethod::remove, .url = url("/files/" + url_part(id))};
}

Result<RemoteFile> OpenAiBatchApi::parse_file(const HttpReply& reply) const {
  const auto json = read_reply(reply, "file");
  if (!json) return forward_error(json);
  RemoteFile file = read_file_object(*json);
  if (file.id.empty()) return failure("file: the reply names no id");
  return file;
}

ApiRequest OpenAiBatchApi::list_files(const std::string& cursor) const {
  std::string query = fmt::format("purpose={}&limit=1000", config_.dialect.purpose);
  if (!cursor.empty()) query += "&after=" + url_part(cursor);
  return {.url = url("/files", query)};
}

Result<FilePage> OpenAiBatchApi::parse_files(const HttpReply& reply,
                                             const std::string& /*cursor*/) const {
  const auto json = read_list(reply, "files");
  if (!json) return forward_error(json);
  FilePage page;
  for (const Json& object : elements(*json)) page.files.push_back(read_file_object(object));
  if (is_true(*json, "has_more") && !page.files.empty()) page.next = page.files.back().id;
  return page;
}

ApiRequest OpenAiBatchApi::create(const BatchDraft& draft) const {
  return create_call("/batches",
                     fmt::format(R"({{"input_file_id":{},"endpoint":{},"completion_window":"24h",)"
                                 R"("metadata":{{"{}":{}}}}})",
                                 json_string(draft.input_file), json_string(line_path()),
                                 kBatchTagName, json_string(draft.tag)));
}

ApiRequest OpenAiBatchApi::get(const std::string& id) const {
  return {.url = url("/batches/" + url_part(id))};
}

ApiRequest OpenAiBatchApi::cancel(const std::string& id) const {
  return {.method = HttpMethod::post, .url = url("/batches/" + url_part(id) + "/cancel")};
}

ApiRequest OpenAiBatchApi::list(const std::string& cursor) const {
  std::string query = "limit=100";
  if (!cursor.empty()) query += "&after=" + url_part(cursor);
  return {.url = url("/batches", query)};
}

Result<RemoteBatch> OpenAiBatchApi::parse_batch(const HttpReply& reply) const {
  const auto json = read_reply(reply, "batch");
  if (!json) return forward_error(json);
  // Together wraps it when it is new.
  const Json& wrapped = object_of(*json, "job");
  RemoteBatch batch = read_batch(wrapped.empty() ? *json : wrapped);
  if (batch.id.empty()) return failure("batch: the reply names no id");
  return batch;
}

Result<BatchPage> OpenAiBatchApi::parse_batches(const HttpReply& reply,
                                                const std::string& /*cursor*/) const {
  const auto json = read_list(reply, "batches");
  if (!json) return forward_error(json);
  BatchPage page;
  for (const Json& object : elements(*json)) page.batches.push_back(read_batch(object));
  if (is_true(*json, "has_more") && !page.batches.empty()) page.next = page.batches.back().id;
  return page;
}

bool OpenAiBatchApi::says_queue_full(const HttpReply& reply) const { return says_full(reply.body); }

ApiRequest OpenAiBatchApi::download(const std::string& result) const {
  return {.url = url("/files/" + url_part(result) + "/content")};
}

Result<BatchAnswer> OpenAiBatchApi::parse_answer(std::string_view line) const {
  return parse_openai_answer(line);
}

std::string OpenAiBatchApi::line_path() const {
  return std::string(config_.dialect.line_prefix) + endpoint_path(config_.wire_format, "");
}

ApiRequest OpenAiBatchApi::create_call(std::string_view path, std::string body) const {
  ApiRequest request;
  request.method = HttpMethod::post;
  request.url = url(path);
  request.body = std::move(body);
  request.fresh_connection = true;
  return request;
}

RemoteBatch OpenAiBatchApi::read_identity(const Json& object) {
  RemoteBatch batch;
  batch.id = text_of(object, "id");
  batch.state_word = text_of(object, "status");
  batch.state = state_of(batch.state_word, kStates);
  batch.tag = text_of(object_of(object, "metadata"), kBatchTagName);
  batch.created_at = time_of(object, "created_at");
  return batch;
}

void OpenAiBatchApi::add_results(const Json& object, std::span<const char* const> names,
                                 RemoteBatch& batch) {
  for (const char* name : names) {
    if (std::string id = text_of(object, name); !id.empty()) batch.results.push_back(std::move(id));
  }
}

void OpenAiBatchApi::find_full_queue(RemoteBatch& batch) {
  for (const BatchError& error : batch.errors) {
    const bool full = says_full(error.code) || says_full(error.message);
    batch.retry_later = batch.retry_later || (full && batch.state == failed);
  }
}

RemoteBatch OpenAiBatchApi::read_batch(const Json& object) const {
  RemoteBatch batch = read_identity(object);
  batch.input_file = text_of(object, "input_file_id");
  add_results(object, std::array{"output_file_id", "error_file_id"}, batch);
  const Json& counts = object_of(object, "request_counts");
  const std::int64_t total = count_of(counts, "total");
  if (total > 0) {
    batch.counts = RemoteCounts{total, count_of(counts, "completed"), count_of(counts, "failed")};
  }
  batch.expires_at = time_of(object, "expires_at");
  if (!batch.expires_at) batch.expires_at = time_of(object, "job_deadline");
  for (const char* name : {"completed_at", "failed_at", "expired_at", "cancelled_at"}) {
    if (!batch.ended_at) batch.ended_at = time_of(object, name);
  }
  read_errors(object, batch);
  return batch;
}

void OpenAiBatchApi::read_errors(const Json& object, RemoteBatch& batch) {
  const Json& errors = object_of(object, "errors");
  for (const Json& error : elements(errors)) {
    batch.errors.push_back(
        {text_of(error, "code"), text_of(error, "message"), number_of(error, "line")});
  }
  if (std::string error = text_of(object, "error"); !error.empty()) {
    batch.errors.push_back({"", std::move(error), {}});
  }
  find_full_queue(batch);
}

namespace {

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

}  // namespace

std::unique_ptr<BatchApi> make_openai_batch_api(BatchApiConfig config) {
  switch (config.dialect.family) {
    case BatchFamily::together:
      return std::make_unique<TogetherBatchApi>(std::move(config));
    case BatchFamily::mistral:
      return make_mistral_batch_api(std::move(config));
    case BatchFamily::none:
    case BatchFamily::openai:
    case BatchFamily::anthropic:
    case BatchFamily::gemini:
      break;
  }
  return std::make_unique<OpenAiBatchApi>(std::move(config));
}

}  // namespace llmbatch
