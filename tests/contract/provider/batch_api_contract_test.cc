// The Batch APIs of all providers, with replies as their references show them.
#include "contract/batch_api_contract.h"

#include "unit/provider/support.h"

namespace llmbatch::testing {
namespace {

using Json = nlohmann::json;
using Pointer = Json::json_pointer;
using enum RemoteBatchState;

constexpr const char* kTag = "llmbatch-0123456789abcdef";
constexpr const char* kChatAnswer =
    R"({"id":"chatcmpl-1","object":"chat.completion","model":"m-1","choices":[{"index":0,)"
    R"("message":{"role":"assistant","content":"Par is"},"finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}})";
constexpr const char* kResponsesAnswer =
    R"({"id":"resp_1","object":"response","status":"completed","model":"m-1","error":null,)"
    R"("output":[{"type":"message","content":[{"type":"output_text","text":"Paris"}]}],)"
    R"("usage":{"input_tokens":9,"output_tokens":3,"total_tokens":12}})";
constexpr const char* kEmbeddingsAnswer =
    R"({"object":"list","model":"m-1","data":[{"object":"embedding","index":0,)"
    R"("embedding":[0.5,-0.25]}],"usage":{"prompt_tokens":5,"total_tokens":5}})";
constexpr const char* kOpenAiError =
    R"({"error":{"message":"too long","type":"invalid_request_error","param":"messages",)"
    R"("code":"context_length_exceeded"}})";

std::string openai_line(int status, const std::string& body) {
  return R"({"id":"batch_req_1","custom_id":"c","response":{"status_code":)" +
         std::to_string(status) + R"(,"request_id":"req_1","body":)" + body + R"(},"error":null})";
}

std::vector<std::string> openai_unanswered() {
  return {
      R"({"id":"r","custom_id":"c","response":null,"error":{"code":"batch_expired","message":"x"}})",
      R"({"id":"r","custom_id":"c","response":null,"error":{"code":"batch_cancelled","message":"x"}})",
      R"({"id":"r","custom_id":"c","response":{"status_code":0,"body":{}},"error":null})",
      R"({"id":"r","custom_id":"c","response":null,"error":null})"};
}

Json openai_batch(const std::string& word, bool with_results) {
  return {{"id", "batch_1"},
          {"object", "batch"},
          {"status", word},
          {"errors", nullptr},
          {"input_file_id", "file-1"},
          {"output_file_id", with_results ? Json("file-out") : Json()},
          {"error_file_id", with_results ? Json("file-err") : Json()},
          {"created_at", 1790000000},
          {"expires_at", 1790086400},
          {"request_counts", {{"total", 9}, {"completed", 8}, {"failed", 1}}},
          {"metadata", {{"llmbatch", kTag}}}};
}

Json openai_page(const std::vector<Json>& elements, bool more) {
  return {{"object", "list"}, {"data", elements}, {"has_more", more}};
}

BatchWorld openai(const std::string& profile, WireFormat format, const std::string& success) {
  BatchWorld world;
  world.name = (profile.empty() ? "generic" : profile) + "_" + std::string(to_string(format));
  world.config = config_for(profile, format);
  world.request_body = format == WireFormat::openai_chat
                           ? R"({"model":"some-model","messages":[{"role":"user","content":"é"}]})"
                           : R"({"model":"some-model","input":"x"})";
  world.success = success;
  world.error = kOpenAiError;
  world.batch = openai_batch;
  world.page = world.file_page = openai_page;
  world.file = {{"id", "file-1"},
                {"bytes", 12},
                {"purpose", "batch"},
                {"filename", "x.jsonl"},
                {"status", "processed"}};
  world.file_name = "x.jsonl";
  world.words = {{"validating", validating}, {"in_progress", in_progress},
                 {"finalizing", finalizing}, {"cancelling", cancelling},
                 {"failed", failed},         {"expired", expired},
                 {"cancelled", cancelled},   {"completed", completed}};
  world.results = 2;
  world.good_line = openai_line(200, success);
  world.error_line = openai_line(400, kOpenAiError);
  world.unanswered_lines = openai_unanswered();
  world.line_model = Pointer("/body/model");
  world.line_id = Pointer("/custom_id");
  world.line_body = Pointer("/body");
  return world;
}

/// The classic surface: the deployment stands in the base URL.
BatchWorld classic_azure() {
  BatchWorld world = openai("azure", WireFormat::openai_chat, kChatAnswer);
  world.name = "azure_classic";
  world.config.base_url =
      "https://r.openai.azure.com/openai/deployments/dep-1?api-version=2024-10-21";
  world.model_in_line = "dep-1";
  return world;
}

BatchWorld together() {
  BatchWorld world = openai("together", WireFormat::openai_chat, kChatAnswer);
  world.batch = [](const std::string& word, bool with_results) {
    return Json{{"id", "b-1"},
                {"user_id", "u"},
                {"input_file_id", "file-1"},
                {"status", word},
                {"created_at", "2026-11-23T10:00:00Z"},
                {"job_deadline", "2026-11-24T10:00:00Z"},
                {"output_file_id", with_results ? Json("file-out") : Json()},
                {"error_file_id", with_results ? Json("file-err") : Json()}};
  };
  world.created = [](Json json) { return Json{{"job", std::move(json)}}; };
  world.page = [](const std::vector<Json>& elements, bool) { return Json(elements); };
  world.words = {{"VALIDATING", validating}, {"IN_PROGRESS", in_progress},
                 {"FAILED", failed},         {"EXPIRED", expired},
                 {"CANCELLED", cancelled},   {"CANCELING", cancelling},
                 {"COMPLETED", completed}};
  return world;
}

BatchWorld mistral(WireFormat format, const std::string& success) {
  BatchWorld world = openai("mistral", format, success);
  world.batch = [](const std::string& word, bool with_results) {
    return Json{{"id", "job-1"},
                {"object", "batch"},
                {"input_files", {"file-1"}},
                {"metadata", {{"llmbatch", kTag}}},
                {"status", word},
                {"output_file", with_results ? Json("file-out") : Json()},
                {"error_file", with_results ? Json("file-err") : Json()},
                {"errors", Json::array()},
                {"total_requests", 9},
                {"succeeded_requests", 8},
                {"failed_requests", 1},
                {"created_at", 1790000000}};
  };
  world.page = [](const std::vector<Json>& elements, bool) {
    return Json{{"data", elements}, {"object", "list"}, {"total", elements.size()}};
  };
  world.file_page = world.page;
  world.error =
      R"({"object":"error","message":"bad","type":"invalid","code":"1","raw_status_code":400})";
  world.error_line = openai_line(400, world.error);
  world.words = {{"QUEUED", validating},
                 {"RUNNING", in_progress},
                 {"FAILED", failed},
                 {"TIMEOUT_EXCEEDED", expired},
                 {"CANCELLATION_REQUESTED", cancelling},
                 {"CANCELLED", cancelled},
                 {"SUCCESS", completed}};
  world.line_model = Pointer();
  return world;
}

BatchWorld anthropic(const std::string& version) {
  BatchWorld world;
  world.name = "anthropic_" + version.substr(0, 4);
  world.config = config_for("anthropic", WireFormat::anthropic_messages);
  world.config.anthropic_version = version;
  world.request_body =
      R"({"model":"some-model","max_tokens":9,"messages":[{"role":"user","content":"é"}]})";
  world.success =
      R"({"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text",)"
      R"("text":"Paris"}],"stop_reason":"end_turn","usage":{"input_tokens":9,"output_tokens":3}})";
  world.error =
      R"({"type":"error","error":{"type":"invalid_request_error","message":"no"},"request_id":"r"})";
  world.batch = [](const std::string& word, bool with_results) {
    return Json{{"id", "msgbatch_1"},
                {"type", "message_batch"},
                {"processing_status", word},
                {"request_counts",
                 {{"processing", with_results ? 0 : 9},
                  {"succeeded", with_results ? 8 : 0},
                  {"errored", with_results ? 1 : 0},
                  {"canceled", 0},
                  {"expired", 0}}},
                {"created_at", "2026-11-23T10:00:00Z"},
                {"expires_at", "2026-11-24T10:00:00Z"},
                {"ended_at", nullptr},
                {"cancel_initiated_at", nullptr},
                {"archived_at", nullptr},
                {"results_url", with_results ? Json("https://elsewhere.example/x") : Json()}};
  };
  world.page = openai_page;
  world.words = {{"in_progress", in_progress}, {"canceling", cancelling}, {"ended", completed}};
  world.good_line =
      R"({"custom_id":"c","result":{"type":"succeeded","message":)" + world.success + "}}";
  world.error_line = R"({"custom_id":"c","result":{"type":"errored","error":)" + world.error + "}}";
  world.unanswered_lines = {R"({"custom_id":"c","result":{"type":"canceled"}})",
                            R"({"custom_id":"c","result":{"type":"expired"}})"};
  world.line_model = Pointer("/params/model");
  world.line_id = Pointer("/custom_id");
  world.line_body = Pointer("/params");
  return world;
}

BatchWorld gemini() {
  BatchWorld world;
  world.name = "gemini";
  world.config = config_for("gemini", WireFormat::gemini_generate);
  world.request_body = R"({"contents":[{"parts":[{"text":"é"}]}]})";
  world.success =
      R"({"candidates":[{"content":{"role":"model","parts":[{"text":"Paris"}]},"finishReason":"STOP"}],)"
      R"("usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":3,"totalTokenCount":12}})";
  world.error = R"({"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT"}})";
  world.batch = [](const std::string& word, bool with_results) {
    Json json{{"name", "batches/x1"},
              {"metadata",
               {{"displayName", kTag},
                {"state", word},
                {"createTime", "2026-11-23T10:00:00Z"},
                {"inputConfig", {{"fileName", "file-1"}}},
                {"batchStats", {{"requestCount", "9"}, {"successfulRequestCount", "8"}}}}},
              {"done", with_results}};
    if (with_results) json["response"] = {{"responsesFile", "files/out"}};
    return json;
  };
  world.may_leave_out_list = true;
  world.page = [](const std::vector<Json>& elements, bool more) {
    Json json{{"operations", elements}};
    if (more) json["nextPageToken"] = "t 2";
    return json;
  };
  world.file_page = [](const std::vector<Json>& elements, bool) {
    return Json{{"files", elements}};
  };
  world.file = {
      {"name", "files/f1"}, {"displayName", "x"}, {"sizeBytes", "12"}, {"state", "ACTIVE"}};
  world.file_name = "x";
  world.words = {{"BATCH_STATE_PENDING", validating}, {"BATCH_STATE_RUNNING", in_progress},
                 {"BATCH_STATE_FAILED", failed},      {"BATCH_STATE_CANCELLED", cancelled},
                 {"BATCH_STATE_EXPIRED", expired},    {"JOB_STATE_RUNNING", in_progress},
                 {"BATCH_STATE_SUCCEEDED", completed}};
  world.good_line = R"({"key":"c","response":)" + world.success + "}";
  world.error_line = R"({"key":"c","error":{"code":3,"message":"no","status":"INVALID_ARGUMENT"}})";
  world.unanswered_lines = {R"({"key":"c","error":{"code":1,"message":"Cancelled."}})",
                            R"({"key":"c","error":{"code":4,"message":"Batch expired."}})",
                            R"({"key":"c"})"};
  world.line_model = Pointer();
  world.line_id = Pointer("/key");
  world.line_body = Pointer("/request");
  return world;
}

INSTANTIATE_TEST_SUITE_P(
    Providers, BatchApiContract,
    ::testing::Values(openai("openai", WireFormat::openai_chat, kChatAnswer),
                      openai("openai", WireFormat::openai_responses, kResponsesAnswer),
                      openai("openai", WireFormat::openai_embeddings, kEmbeddingsAnswer),
                      openai("azure", WireFormat::openai_chat, kChatAnswer), classic_azure(),
                      openai("groq", WireFormat::openai_chat, kChatAnswer),
                      openai("", WireFormat::openai_chat, kChatAnswer), together(),
                      mistral(WireFormat::openai_chat, kChatAnswer),
                      mistral(WireFormat::openai_embeddings, kEmbeddingsAnswer),
                      anthropic("2023-06-01"), anthropic("2026-10-21"), gemini()),
    [](const auto& world) {
      std::string name = world.param.name;
      for (char& c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
      }
      return name;
    });

}  // namespace
}  // namespace llmbatch::testing
