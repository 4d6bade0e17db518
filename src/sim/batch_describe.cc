// The simulated Batch APIs: batches and lists as each API shows them.
#include <algorithm>
#include <array>

#include "batch_service.h"
#include "llmbatch/base/text.h"

namespace llmbatch::sim {
namespace {

std::int64_t unix_seconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

constexpr auto kWindow = std::chrono::hours(24);
constexpr std::size_t kUsualPage = 20;

}  // namespace

BatchService::Json BatchService::describe(Batch& batch) {
  const State state = state_of(batch);
  switch (batch.family) {
    case Family::anthropic:
      return describe_anthropic(batch, state);
    case Family::gemini:
      return describe_gemini(batch, state);
    case Family::mistral:
      return describe_mistral(batch, state);
    case Family::openai:
    case Family::azure:
    case Family::together:
      break;
  }
  return describe_openai(batch, state);
}

BatchService::Json BatchService::describe_created(Batch& batch) {
  Json created = describe(batch);
  if (batch.family == Family::together) return Json{{"job", created}};
  return created;
}

BatchService::Json BatchService::describe_openai(Batch& batch, State state) {
  constexpr std::array kWords{"validating", "in_progress", "finalizing", "cancelling",
                              "completed",  "failed",      "expired",    "cancelled"};
  const bool together = batch.family == Family::together;
  const bool begun = state != State::validating && state != State::failed;
  const auto time = [&](WallTime when) {
    return together ? Json(format_rfc3339(when)) : Json(unix_seconds(when));
  };
  const auto file = [](const std::string& id) { return id.empty() ? Json() : Json(id); };
  std::string word = kWords[static_cast<std::size_t>(state)];
  if (together) {
    std::transform(word.begin(), word.end(), word.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  }
  Json json{{"id", batch.id},
            {"object", "batch"},
            {"endpoint", batch.endpoint},
            {"input_file_id", batch.input_file},
            {"status", word},
            {"output_file_id", file(batch.output_file)},
            {"error_file_id", file(batch.error_file)},
            {"created_at", time(batch.created_at)}};
  json[together ? "job_deadline" : "expires_at"] = time(batch.created_at + kWindow);
  if (batch.settled)
    json[word == "completed" ? "completed_at" : word + "_at"] = time(batch.ended_at);
  if (together) {
    if (state == State::failed) json["error"] = batch.errors.front().message;
    return json;
  }
  json["metadata"] = Json::parse(batch.tag, nullptr, false);
  const std::int64_t done = batch.settled ? batch.succeeded : answered_by(batch);
  json["request_counts"] = {{"total", begun ? batch.total : 0},
                            {"completed", begun ? done : 0},
                            {"failed", batch.settled ? batch.failed : 0}};
  if (state != State::failed) return json;
  Json errors = Json::array();
  for (const LineError& error : batch.errors) {
    errors.push_back({{"code", error.code},
                      {"message", error.message},
                      {"param", nullptr},
                      {"line", error.line == 0 ? Json() : Json(error.line)}});
  }
  json["errors"] = {{"object", "list"}, {"data", errors}};
  return json;
}

BatchService::Json BatchService::describe_mistral(Batch& batch, State state) {
  constexpr std::array kWords{"QUEUED",  "RUNNING", "RUNNING",          "CANCELLATION_REQUESTED",
                              "SUCCESS", "FAILED",  "TIMEOUT_EXCEEDED", "CANCELLED"};
  const auto file = [](const std::string& id) { return id.empty() ? Json() : Json(id); };
  Json errors = Json::array();
  for (const LineError& error : batch.errors) {
    errors.push_back({{"message", error.code + ": " + error.message}, {"count", 1}});
  }
  const std::int64_t done = batch.settled ? batch.succeeded : answered_by(batch);
  return {{"id", batch.id},
          {"object", "batch"},
          {"input_files", {batch.input_file}},
          {"endpoint", batch.endpoint},
          {"model", batch.model},
          {"metadata", Json::parse(batch.tag, nullptr, false)},
          {"status", kWords[static_cast<std::size_t>(state)]},
          {"output_file", file(batch.output_file)},
          {"error_file", file(batch.error_file)},
          {"errors", errors},
          {"total_requests", batch.total},
          {"completed_requests", done + batch.failed},
          {"succeeded_requests", done},
          {"failed_requests", batch.failed},
          {"created_at", unix_seconds(batch.created_at)},
          {"completed_at", batch.settled ? Json(unix_seconds(batch.ended_at)) : Json()}};
}

BatchService::Json BatchService::describe_anthropic(Batch& batch, State state) {
  const bool ended = batch.settled;
  const char* word = state == State::cancelling ? "canceling" : ended ? "ended" : "in_progress";
  const auto time = [](bool known, WallTime when) {
    return known ? Json(format_rfc3339(when)) : Json();
  };
  Json json{{"id", batch.id},
            {"type", "message_batch"},
            {"processing_status", word},
            {"request_counts",
             {{"processing", ended ? 0 : batch.total},
              {"succeeded", batch.succeeded},
              {"errored", batch.failed - batch.expired - batch.cancelled_lines},
              {"canceled", batch.cancelled_lines},
              {"expired", batch.expired}}},
            {"created_at", format_rfc3339(batch.created_at)},
            {"expires_at", format_rfc3339(batch.created_at + kWindow)},
            {"ended_at", time(ended, batch.ended_at)},
            {"cancel_initiated_at", time(batch.cancelled.has_value(), batch.created_at)},
            {"results_url", nullptr}};
  if (ended && !batch.output_file.empty()) {
    json["results_url"] = "https://api.example/v1/messages/batches/" + batch.id + "/results";
  }
  return json;
}

BatchService::Json BatchService::describe_gemini(Batch& batch, State state) {
  constexpr std::array kWords{"PENDING",   "RUNNING", "RUNNING", "RUNNING",
                              "SUCCEEDED", "FAILED",  "EXPIRED", "CANCELLED"};
  const std::int64_t done = batch.settled ? batch.succeeded : answered_by(batch);
  const std::int64_t left = batch.settled ? 0 : batch.total - done;
  Json metadata{
      {"@type", "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch"},
      {"model", "models/" + batch.model},
      {"displayName", batch.tag},
      {"state", std::string("BATCH_STATE_") + kWords[static_cast<std::size_t>(state)]},
      {"createTime", format_rfc3339(batch.created_at)},
      {"inputConfig", {{"fileName", batch.input_file}}},
      {"batchStats",
       {{"requestCount", std::to_string(batch.total)},
        {"successfulRequestCount", std::to_string(done)},
        {"failedRequestCount", std::to_string(batch.failed)},
        {"pendingRequestCount", std::to_string(left)}}}};
  Json json{{"name", "batches/" + batch.id}, {"metadata", metadata}, {"done", batch.settled}};
  if (!batch.settled) return json;
  json["metadata"]["endTime"] = format_rfc3339(batch.ended_at);
  if (state == State::failed) {
    json["error"] = {{"code", 3}, {"message", batch.errors.front().message}};
  } else if (!batch.output_file.empty()) {
    json["metadata"]["output"] = {{"responsesFile", batch.output_file}};
    json["response"] = {{"responsesFile", batch.output_file}};
  }
  return json;
}

BatchService::Page BatchService::page_of(const HttpRequest& http, Family family, std::size_t size,
                                         const std::function<std::string(std::size_t)>& id_of) {
  const auto number = [&](const char* name, std::size_t usual) {
    const std::string text = argument(http, name);
    return text.empty() ? usual
                        : static_cast<std::size_t>(std::strtoull(text.c_str(), nullptr, 10));
  };
  Page page;
  std::size_t count = std::max<std::size_t>(1, number("limit", kUsualPage));
  if (family == Family::together) count = size;
  if (family == Family::mistral) {
    count = std::max<std::size_t>(1, number("page_size", kUsualPage));
    page.begin = number("page", 0) * count;
  } else if (family == Family::gemini) {
    count = std::max<std::size_t>(1, number("pageSize", kUsualPage));
    page.begin = number("pageToken", 0);
  } else if (const std::string after =
                 argument(http, family == Family::anthropic ? "after_id" : "after");
             !after.empty()) {
    while (page.begin < size && id_of(page.begin) != after) ++page.begin;
    ++page.begin;
  }
  page.begin = std::min(page.begin, size);
  page.end = std::min(size, page.begin + count);
  if (page.end < size) page.next = std::to_string(page.end);
  return page;
}

BatchService::Json BatchService::wrap_list(Family family, const char* gemini_name, Json list,
                                           const Page& page, std::size_t total) {
  if (family == Family::together) return list;
  if (family == Family::gemini) {
    Json json{{gemini_name, std::move(list)}};
    if (!page.next.empty()) json["nextPageToken"] = page.next;
    return json;
  }
  Json json{{"object", "list"}, {"data", std::move(list)}};
  if (family == Family::mistral) {
    json["total"] = total;
  } else {
    json["has_more"] = !page.next.empty();
  }
  return json;
}

}  // namespace llmbatch::sim
