// Anthropic Message Batches: the requests travel in the body of the create call, no tag is echoed,
// and counts stay zero until the whole batch has ended.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "batch_dialect.h"
#include "batch_json.h"
#include "llmbatch/base/text.h"
#include "raw_json.h"

namespace llmbatch {
namespace {

using enum RemoteBatchState;

constexpr auto kStates = std::to_array<StateWord>(
    {{"in_progress", in_progress}, {"canceling", cancelling}, {"ended", completed}});

struct TypeStatus {
  std::string_view type;
  int status;
};
/// The HTTP status that an error of this type has in real time.
constexpr auto kErrorStatuses = std::to_array<TypeStatus>({{"invalid_request_error", 400},
                                                           {"authentication_error", 401},
                                                           {"billing_error", 402},
                                                           {"permission_error", 403},
                                                           {"not_found_error", 404},
                                                           {"conflict_error", 409},
                                                           {"request_too_large", 413},
                                                           {"rate_limit_error", 429},
                                                           {"api_error", 500},
                                                           {"timeout_error", 504},
                                                           {"overloaded_error", 529}});

int status_of_error(std::string_view envelope) {
  const std::string_view inner = raw_member(envelope, "error");
  const std::string type = decode_json_string(raw_member(inner, "type")).value_or("");
  for (const TypeStatus& known : kErrorStatuses) {
    if (known.type == type) return known.status;
  }
  return 500;
}

/// Members that real time takes and batches do not.
constexpr auto kRealTimeOnly = std::to_array<std::string_view>(
    {"speed", "store", "previous_thread_event_id", "cache_hint", "context_hint"});

Status refuse_real_time_only(std::string_view body) {
  RawObject members(body);
  while (members.next()) {
    const bool only =
        std::find(kRealTimeOnly.begin(), kRealTimeOnly.end(), members.key()) != kRealTimeOnly.end();
    if (only && members.value() != "null") {
      return failure(fmt::format("\"{}\" cannot be in a batch", members.key()));
    }
    if (members.key() == "max_tokens" && raw_integer(members.value()) == 0) {
      return failure("\"max_tokens\":0 cannot be in a batch");
    }
  }
  return {};
}

Status read_result(std::string_view result, BatchAnswer& answer) {
  const auto type = decode_json_string(raw_member(result, "type"));
  if (!type) return failure("not a result line: its result has no type");
  if (*type == "succeeded") {
    answer.answered = true;
    answer.reply.status = 200;
    answer.reply.body = raw_member(result, "message");
  } else if (*type == "errored") {
    // The error is nested twice: what real time sends is the inner envelope.
    const std::string_view envelope = raw_member(result, "error");
    answer.answered = true;
    answer.reply.status = status_of_error(envelope);
    answer.reply.body = envelope;
  } else {
    answer.reason = *type == "canceled" ? "cancelled" : *type;
  }
  return {};
}

class AnthropicBatchApi final : public BatchApi {
 public:
  explicit AnthropicBatchApi(BatchApiConfig config) : config_(std::move(config)) {}

  const BatchCapabilities& capabilities() const override { return config_.dialect.limits; }

  Status append_line(std::string& out, std::string_view custom_id, const Request& request,
                     bool first) const override {
    if (auto status = refuse_stream(request.body); !status) return status;
    if (auto status = refuse_real_time_only(request.body); !status) return status;
    out += first ? "{\"custom_id\":" : ",{\"custom_id\":";
    append_json_string(out, custom_id);
    out += ",\"params\":";
    append_on_one_line(out, request.body);
    out += "}\n";
    return {};
  }

  ApiRequest create(const BatchDraft& draft) const override {
    ApiRequest request;
    request.method = HttpMethod::post;
    request.url = url("/messages/batches");
    request.body = "{\"requests\":[";
    request.body_file = draft.file_path;
    request.body_end = "]}";
    request.fresh_connection = true;
    return request;
  }
  ApiRequest get(const std::string& id) const override {
    return {.url = url("/messages/batches/" + url_part(id))};
  }
  ApiRequest cancel(const std::string& id) const override {
    return {.method = HttpMethod::post,
            .url = url("/messages/batches/" + url_part(id) + "/cancel")};
  }
  ApiRequest list(const std::string& cursor) const override {
    std::string query = "limit=1000";
    if (!cursor.empty()) query += "&after_id=" + url_part(cursor);
    return {.url = url("/messages/batches", query)};
  }

  Result<RemoteBatch> parse_batch(const HttpReply& reply) const override {
    const auto json = read_reply(reply, "batch");
    if (!json) return forward_error(json);
    RemoteBatch batch = read_batch(*json);
    if (batch.id.empty()) return failure("batch: the reply names no id");
    return batch;
  }

  Result<BatchPage> parse_batches(const HttpReply& reply,
                                  const std::string& /*cursor*/) const override {
    const auto json = read_list(reply, "batches");
    if (!json) return forward_error(json);
    BatchPage page;
    for (const Json& object : array_of(*json, "data")) page.batches.push_back(read_batch(object));
    if (is_true(*json, "has_more") && !page.batches.empty()) {
      page.next = page.batches.back().id;
    }
    return page;
  }

  /// The queue of requests is full.
  bool says_queue_full(const HttpReply& reply) const override {
    return reply.status == 429 && reply.body.find("queue") != std::string::npos;
  }

  ApiRequest download(const std::string& result) const override {
    // Built from the id: a URL out of a reply would take the key wherever it says.
    return {.url = url("/messages/batches/" + url_part(result) + "/results")};
  }

  Result<BatchAnswer> parse_answer(std::string_view line) const override {
    BatchAnswer answer;
    std::string_view id;
    std::string_view result;
    RawObject members(line);
    while (members.next()) {
      if (members.key() == "custom_id") id = members.value();
      if (members.key() == "result") result = members.value();
    }
    const auto custom_id = decode_json_string(id);
    if (!members.is_alone() || !custom_id) return not_a_line(members, "custom_id");
    answer.custom_id = *custom_id;
    if (auto status = read_result(result, answer); !status) return forward_error(status);
    return answer;
  }

  // No files: uploads_file is false.
  ApiRequest upload(const BatchDraft&) const override { return {}; }
  Result<UploadStep> after_upload(const BatchDraft&, const HttpReply&) const override {
    return no_files();
  }
  ApiRequest get_file(const std::string&) const override { return {}; }
  Result<RemoteFile> parse_file(const HttpReply&) const override { return no_files(); }
  ApiRequest list_files(const std::string&) const override { return {}; }
  Result<FilePage> parse_files(const HttpReply&, const std::string&) const override {
    return no_files();
  }
  std::string file_name(const BatchDraft&) const override { return {}; }
  ApiRequest delete_file(const std::string&) const override { return {}; }

 private:
  static tl::unexpected<Error> no_files() { return failure("this provider takes no files"); }

  std::string url(std::string_view path, std::string_view query = {}) const {
    return api_url(config_.base_url, path, query);
  }

  static RemoteBatch read_batch(const Json& object) {
    RemoteBatch batch;
    batch.id = text_of(object, "id");
    batch.state_word = text_of(object, "processing_status");
    batch.state = state_of(batch.state_word, kStates);
    const Json& counts = object_of(object, "request_counts");
    RemoteCounts read;
    read.succeeded = count_of(counts, "succeeded");
    for (const char* name : {"errored", "canceled", "expired"}) {
      read.failed += count_of(counts, name);
    }
    read.total = count_of(counts, "processing") + read.succeeded + read.failed;
    if (read.total > 0) batch.counts = read;
    // There is one word for every end.
    if (batch.state == completed && !text_of(object, "cancel_initiated_at").empty()) {
      batch.state = cancelled;
    } else if (batch.state == completed && count_of(counts, "expired") > 0) {
      batch.state = expired;
    }
    batch.created_at = time_of(object, "created_at");
    batch.expires_at = time_of(object, "expires_at");
    batch.ended_at = time_of(object, "ended_at");
    // Archived results have no URL any more, and yet they were there and were paid for: the
    // download tells that they are gone.
    const bool had_answers = read.succeeded + count_of(counts, "errored") > 0;
    const bool archived = !text_of(object, "archived_at").empty();
    const bool named = !text_of(object, "results_url").empty();
    if (named || (has_ended(batch.state) && (archived || had_answers))) batch.results = {batch.id};
    return batch;
  }

  BatchApiConfig config_;
};

}  // namespace

std::unique_ptr<BatchApi> make_anthropic_batch_api(BatchApiConfig config) {
  return std::make_unique<AnthropicBatchApi>(std::move(config));
}

}  // namespace llmbatch
