// Gemini batch mode: a resumable upload, a long-running operation, `key` instead of `custom_id`.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "batch_dialect.h"
#include "batch_json.h"
#include "llmbatch/base/text.h"
#include "raw_json.h"

namespace llmbatch {
namespace {

using enum RemoteBatchState;

/// Without their prefix, which is BATCH_STATE_ or, in the SDKs, JOB_STATE_.
constexpr auto kStates = std::to_array<StateWord>({{"PENDING", validating},
                                                   {"QUEUED", validating},
                                                   {"RUNNING", in_progress},
                                                   {"CANCELLING", cancelling},
                                                   {"SUCCEEDED", completed},
                                                   {"PARTIALLY_SUCCEEDED", completed},
                                                   {"FAILED", failed},
                                                   {"CANCELLED", cancelled},
                                                   {"EXPIRED", expired}});

struct CodeStatus {
  int code;
  int status;
};
/// google.rpc.Code and the HTTP status that it has in real time.
constexpr auto kCodes = std::to_array<CodeStatus>({{3, 400},
                                                   {4, 504},
                                                   {5, 404},
                                                   {7, 403},
                                                   {8, 429},
                                                   {9, 400},
                                                   {11, 400},
                                                   {13, 500},
                                                   {14, 503},
                                                   {16, 401}});
constexpr int kCancelledCode = 1;

int http_status(std::int64_t code) {
  if (code >= 400 && code <= 599) return static_cast<int>(code);
  for (const CodeStatus& known : kCodes) {
    if (known.code == code) return known.status;
  }
  return 500;
}

struct Origin {
  std::string_view scheme;
  std::string_view host;  ///< with its port
  bool operator==(const Origin&) const = default;
};

/// Absent for what a URL parser could read in another way than this one.
std::optional<Origin> origin_of(std::string_view url) {
  const std::size_t mark = url.find("://");
  if (mark == std::string_view::npos) return std::nullopt;
  const std::string_view rest = url.substr(mark + 3);
  const std::string_view host = rest.substr(0, rest.find('/'));
  const bool plain = std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == ':' || c == '[' || c == ']';
  });
  if (!plain || host.empty()) return std::nullopt;
  return Origin{url.substr(0, mark), host};
}

/// Where a reply may send the upload, and the key with it.
bool may_upload_to(std::string_view base, std::string_view target) {
  const auto ours = origin_of(base.substr(0, base.find('?')));
  const auto theirs = origin_of(target);
  if (!ours || !theirs) return false;
  constexpr std::string_view kGoogle = ".googleapis.com";
  return *ours == *theirs || (theirs->scheme == "https" && ours->host.ends_with(kGoogle) &&
                              theirs->host.ends_with(kGoogle));
}

/// An error line of a request that was never begun. (A key can expire, too.)
bool says_expired(std::int64_t code, std::string_view message) {
  const std::string text = to_lower_ascii(message);
  return http_status(code) >= 500 && text.find("expired") != std::string::npos;
}

/// `files/abc` and `batches/xyz` are paths as they are; anything else is not put into a URL raw.
std::string name_path(std::string_view name) {
  std::string path;
  while (!name.empty()) {
    const std::size_t slash = std::min(name.find('/'), name.size());
    path += '/' + url_part(name.substr(0, slash));
    name.remove_prefix(std::min(slash + 1, name.size()));
  }
  return path;
}

class GeminiBatchApi final : public BatchApi {
 public:
  explicit GeminiBatchApi(BatchApiConfig config) : config_(std::move(config)) {}

  const BatchCapabilities& capabilities() const override { return config_.dialect.limits; }

  Status append_line(std::string& out, std::string_view custom_id, const Request& request,
                     bool /*first*/) const override {
    out += "{\"key\":";
    append_json_string(out, custom_id);
    out += ",\"request\":";
    append_on_one_line(out, request.body);
    out += "}\n";
    return {};
  }

  std::string file_name(const BatchDraft& draft) const override { return draft.tag; }

  ApiRequest upload(const BatchDraft& draft) const override {
    ApiRequest request;
    request.method = HttpMethod::post;
    request.url = upload_url();
    request.headers = {"X-Goog-Upload-Protocol: resumable", "X-Goog-Upload-Command: start",
                       fmt::format("X-Goog-Upload-Header-Content-Length: {}", draft.file_bytes),
                       "X-Goog-Upload-Header-Content-Type: application/jsonl"};
    request.body = fmt::format(R"({{"file":{{"displayName":"{}"}}}})", file_name(draft));
    request.fresh_connection = true;
    return request;
  }

  Result<UploadStep> after_upload(const BatchDraft& draft, const HttpReply& reply) const override {
    const std::string_view target = find_header(reply.headers, "X-Goog-Upload-URL");
    const bool done =
        equals_ignore_case(find_header(reply.headers, "X-Goog-Upload-Status"), "final");
    if (target.empty() || done) {
      const auto json = read_reply(reply, "file");
      if (!json) return forward_error(json);
      RemoteFile file = read_file(object_of(*json, "file"));
      if (file.id.empty()) return failure("file: the reply names no file");
      return UploadStep{std::move(file), {}};
    }
    if (!may_upload_to(config_.base_url, target)) {
      return failure("file: the upload is sent to another host");
    }
    ApiRequest request;
    request.method = HttpMethod::post;
    request.url = target;
    request.headers = {"X-Goog-Upload-Offset: 0", "X-Goog-Upload-Command: upload, finalize",
                       "Content-Type: application/octet-stream"};
    request.body_file = draft.file_path;
    request.fresh_connection = true;
    return UploadStep{{}, std::move(request)};
  }

  ApiRequest get_file(const std::string& id) const override { return {.url = url(name_path(id))}; }
  ApiRequest delete_file(const std::string& id) const override {
    return {.method = HttpMethod::remove, .url = url(name_path(id))};
  }
  Result<RemoteFile> parse_file(const HttpReply& reply) const override {
    const auto json = read_reply(reply, "file");
    if (!json) return forward_error(json);
    RemoteFile file = read_file(*json);
    if (file.id.empty()) return failure("file: the reply names no file");
    return file;
  }
  ApiRequest list_files(const std::string& cursor) const override {
    return {.url = url("/files", page_query(cursor))};
  }
  Result<FilePage> parse_files(const HttpReply& reply,
                               const std::string& /*cursor*/) const override {
    const auto json = read_reply(reply, "files");
    if (!json) return forward_error(json);
    FilePage page;
    for (const Json& file : array_of(*json, "files")) page.files.push_back(read_file(file));
    page.next = text_of(*json, "nextPageToken");
    return page;
  }

  ApiRequest create(const BatchDraft& draft) const override {
    std::string path = endpoint_path(config_.wire_format, draft.first.model);
    path.resize(path.rfind(':'));
    ApiRequest request;
    request.method = HttpMethod::post;
    request.url = url(path + ":batchGenerateContent");
    request.body =
        fmt::format(R"({{"batch":{{"displayName":"{}","inputConfig":{{"fileName":)", draft.tag);
    append_json_string(request.body, draft.input_file);
    request.body += "}}}";
    request.fresh_connection = true;
    return request;
  }
  ApiRequest get(const std::string& id) const override { return {.url = url(name_path(id))}; }
  ApiRequest cancel(const std::string& id) const override {
    return {.method = HttpMethod::post, .url = url(name_path(id) + ":cancel"), .body = "{}"};
  }
  ApiRequest list(const std::string& cursor) const override {
    return {.url = url("/batches", page_query(cursor))};
  }
  Result<RemoteBatch> parse_batch(const HttpReply& reply) const override {
    const auto json = read_reply(reply, "batch");
    if (!json) return forward_error(json);
    // The answer to a cancel is empty: what became of it the next look tells.
    if (json->is_object() && json->empty()) {
      RemoteBatch cancelled;
      cancelled.state = cancelling;
      return cancelled;
    }
    RemoteBatch batch = read_batch(*json);
    if (batch.id.empty()) return failure("batch: the reply names none");
    return batch;
  }
  Result<BatchPage> parse_batches(const HttpReply& reply,
                                  const std::string& /*cursor*/) const override {
    const auto json = read_reply(reply, "batches");
    if (!json) return forward_error(json);
    BatchPage page;
    for (const Json& operation : array_of(*json, "operations")) {
      page.batches.push_back(read_batch(operation));
    }
    page.next = text_of(*json, "nextPageToken");
    return page;
  }

  bool says_queue_full(const HttpReply& reply) const override {
    return reply.status == 429 && reply.body.find("RESOURCE_EXHAUSTED") != std::string::npos;
  }

  ApiRequest download(const std::string& result) const override {
    return {.url = url(name_path(result) + ":download", "alt=media")};
  }

  Result<BatchAnswer> parse_answer(std::string_view line) const override;

 private:
  std::string url(std::string_view path, std::string_view query = {}) const {
    return api_url(config_.base_url, path, query);
  }
  std::string upload_url() const {
    const std::size_t path = std::min(config_.base_url.find('/', config_.base_url.find("://") + 3),
                                      config_.base_url.find('?'));
    std::string base = config_.base_url;
    base.insert(std::min(path, base.size()), "/upload");
    return api_url(base, "/files");
  }
  static std::string page_query(const std::string& cursor) {
    return cursor.empty() ? "pageSize=100" : "pageSize=100&pageToken=" + url_part(cursor);
  }
  static RemoteFile read_file(const Json& object) {
    RemoteFile file;
    file.id = text_of(object, "name");
    file.name = text_of(object, "displayName");
    file.size_bytes = number_of(object, "sizeBytes").value_or(0);
    file.message = text_of(object_of(object, "error"), "message");
    const std::string state = text_of(object, "state");
    if (state == "PROCESSING") file.state = RemoteFile::State::processing;
    if (state == "FAILED") file.state = RemoteFile::State::rejected;
    return file;
  }

  static RemoteBatch read_batch(const Json& operation);

  BatchApiConfig config_;
};

RemoteBatch GeminiBatchApi::read_batch(const Json& operation) {
  const Json& metadata = object_of(operation, "metadata");
  RemoteBatch batch;
  batch.id = text_of(operation, "name");
  batch.state_word = text_of(metadata, "state");
  const std::size_t prefix = batch.state_word.find("STATE_");
  batch.state =
      state_of(prefix == std::string::npos ? batch.state_word : batch.state_word.substr(prefix + 6),
               kStates);
  batch.tag = text_of(metadata, "displayName");
  batch.input_file = text_of(object_of(metadata, "inputConfig"), "fileName");
  const Json& stats = object_of(metadata, "batchStats");
  const std::int64_t total = count_of(stats, "requestCount");
  if (total > 0) {
    batch.counts = RemoteCounts{total, count_of(stats, "successfulRequestCount"),
                                count_of(stats, "failedRequestCount")};
  }
  // What is there stands in both places; an error stands in place of the response.
  std::string file = text_of(object_of(operation, "response"), "responsesFile");
  if (file.empty()) file = text_of(object_of(metadata, "output"), "responsesFile");
  if (!file.empty()) batch.results = {std::move(file)};
  batch.created_at = time_of(metadata, "createTime");
  batch.ended_at = time_of(metadata, "endTime");
  const Json& error = object_of(operation, "error");
  if (batch.state == unknown && batch.state_word.empty() && is_true(operation, "done") &&
      !batch.results.empty()) {
    batch.state = completed;
  }
  if (!error.empty()) {
    const bool by_us = number_of(error, "code") == kCancelledCode;
    if (!has_ended(batch.state)) batch.state = by_us ? cancelled : failed;
    batch.errors.push_back({text_of(error, "code"), text_of(error, "message"), {}});
    batch.retry_later = batch.state == failed && number_of(error, "code") == 8;
  }
  return batch;
}

Result<BatchAnswer> GeminiBatchApi::parse_answer(std::string_view line) const {
  std::string_view key;
  std::string_view response;
  std::string_view error;
  RawObject members(line);
  while (members.next()) {
    if (members.key() == "key") key = members.value();
    if (members.key() == "response") response = members.value();
    if (members.key() == "error") error = members.value();
  }
  const auto id = decode_json_string(key);
  if (!members.is_alone() || !id) return not_a_line(members, "key");
  BatchAnswer answer;
  answer.custom_id = *id;
  if (is_json_object(response)) {
    answer.answered = true;
    answer.reply.status = 200;
    answer.reply.body = response;
    return answer;
  }
  if (!is_json_object(error)) {
    answer.reason = "no answer";
    return answer;
  }
  const std::int64_t code = raw_integer(raw_member(error, "code")).value_or(0);
  const std::string message = decode_json_string(raw_member(error, "message")).value_or("");
  const bool expired = says_expired(code, message);
  if (code == kCancelledCode || code == 499 || expired) {
    answer.reason = expired ? "expired" : "cancelled";
    return answer;
  }
  answer.answered = true;
  answer.reply.status = http_status(code);
  answer.reply.body = fmt::format("{{\"error\":{}}}", error);
  return answer;
}

}  // namespace

std::unique_ptr<BatchApi> make_gemini_batch_api(BatchApiConfig config) {
  return std::make_unique<GeminiBatchApi>(std::move(config));
}

}  // namespace llmbatch
