// What single Batch APIs do beside the contract that all of them share.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "llmbatch/provider/make_batch_api.h"
#include "support.h"

namespace llmbatch::testing {
namespace {

using ::testing::HasSubstr;

HttpReply reply_of(std::string body, int status = 200) {
  HttpReply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

std::unique_ptr<BatchApi> api_of(const std::string& profile) {
  auto api = make_batch_api(config_for(profile));
  EXPECT_TRUE(api) << api.error().message;
  return api ? std::move(*api) : nullptr;
}

RemoteBatch batch_of(const std::string& profile, const std::string& json) {
  const auto batch = api_of(profile)->parse_batch(reply_of(json));
  EXPECT_TRUE(batch) << batch.error().message;
  return batch ? *batch : RemoteBatch{};
}

TEST(BatchApi, ARejectedFileNamesItsLines) {
  const RemoteBatch batch = batch_of(
      "openai", R"({"id":"b","status":"failed","errors":{"object":"list","data":[)"
                R"({"code":"duplicate_custom_id","message":"twice","param":null,"line":7},)"
                R"({"code":"empty_file","message":"x","line":null}]}})");
  EXPECT_EQ(batch.state, RemoteBatchState::failed);
  ASSERT_EQ(batch.errors.size(), 2u);
  EXPECT_EQ(batch.errors[0].code, "duplicate_custom_id");
  EXPECT_EQ(batch.errors[0].line, 7);
  EXPECT_FALSE(batch.errors[1].line);
  EXPECT_FALSE(batch.retry_later);
}

TEST(BatchApi, AFullQueuePasses) {
  EXPECT_TRUE(batch_of("openai", R"({"id":"b","status":"failed","errors":{"data":[{)"
                                 R"("code":"token_limit_exceeded","message":"limit"}]}})")
                  .retry_later);
  EXPECT_TRUE(batch_of("together", R"({"id":"b","status":"FAILED","error":"Enqueued token limit"})")
                  .retry_later);
  EXPECT_TRUE(batch_of("gemini", R"({"name":"batches/b","metadata":{"state":"BATCH_STATE_FAILED"},)"
                                 R"("error":{"code":8,"message":"quota"}})")
                  .retry_later);
  EXPECT_TRUE(api_of("anthropic")
                  ->says_queue_full(reply_of(
                      R"({"error":{"type":"rate_limit_error","message":"queue is full"}})", 429)));
  EXPECT_FALSE(api_of("anthropic")
                   ->says_queue_full(reply_of(
                       R"({"error":{"type":"rate_limit_error","message":"slow down"}})", 429)));
}

TEST(BatchApi, CountsThatAreAllZeroTellNothing) {
  EXPECT_FALSE(batch_of("openai", R"({"id":"b","status":"validating","request_counts":)"
                                  R"({"total":0,"completed":0,"failed":0}})")
                   .counts);
  EXPECT_FALSE(batch_of("openai", R"({"id":"b","status":"validating"})").counts);
  const RemoteBatch batch =
      batch_of("openai", R"({"id":"b","status":"in_progress",)"
                         R"("request_counts":{"total":9,"completed":4,"failed":1}})");
  ASSERT_TRUE(batch.counts);
  EXPECT_EQ(batch.counts->total, 9);
  EXPECT_EQ(batch.counts->succeeded, 4);
  EXPECT_EQ(batch.counts->failed, 1);
}

TEST(BatchApi, AzureLooksAtAFileFirst) {
  const auto azure = api_of("azure");
  const auto state_of = [&](const std::string& word) {
    return azure->parse_file(reply_of(R"({"id":"f","status":")" + word + R"("})"))->state;
  };
  EXPECT_EQ(state_of("pending"), RemoteFile::State::processing);
  EXPECT_EQ(state_of("running"), RemoteFile::State::processing);
  EXPECT_EQ(state_of("processed"), RemoteFile::State::ready);
  EXPECT_EQ(state_of("error"), RemoteFile::State::rejected);
}

TEST(BatchApi, AnthropicHasOneWordForEveryEnd) {
  const auto state_of = [](const std::string& cancel, int expired) {
    return batch_of("anthropic",
                    R"({"id":"b","processing_status":"ended","cancel_initiated_at":)" + cancel +
                        R"(,"request_counts":{"processing":0,"succeeded":1,"expired":)" +
                        std::to_string(expired) + "}}")
        .state;
  };
  EXPECT_EQ(state_of("null", 0), RemoteBatchState::completed);
  EXPECT_EQ(state_of("null", 2), RemoteBatchState::expired);
  EXPECT_EQ(state_of("\"2026-11-23T10:00:00Z\"", 0), RemoteBatchState::cancelled);
}

TEST(BatchApi, AnthropicsResultsComeFromItsOwnHost) {
  const RemoteBatch batch = batch_of(
      "anthropic", R"({"id":"b","processing_status":"ended","results_url":"https://evil/x"})");
  ASSERT_EQ(batch.results.size(), 1u);
  EXPECT_EQ(api_of("anthropic")->download(batch.results[0]).url,
            "https://api.anthropic.com/v1/messages/batches/b/results");
}

TEST(BatchApi, AnthropicsErrorsHaveTheStatusOfRealTime) {
  const auto api = api_of("anthropic");
  const auto status_of = [&](const std::string& type) {
    return api
        ->parse_answer(R"({"custom_id":"c","result":{"type":"errored","error":{"type":"error",)"
                       R"("error":{"type":")" +
                       type + R"(","message":"m"}}}})")
        ->reply.status;
  };
  EXPECT_EQ(status_of("invalid_request_error"), 400);
  EXPECT_EQ(status_of("overloaded_error"), 529);
  EXPECT_EQ(status_of("something_new"), 500);
}

TEST(BatchApi, GeminiAnswersACancelWithNothing) {
  const auto batch = api_of("gemini")->parse_batch(reply_of("{}"));
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_TRUE(batch->id.empty());
  EXPECT_FALSE(has_ended(batch->state));
}

TEST(BatchApi, GeminisUploadGoesToNoOtherHost) {
  const auto gemini = api_of("gemini");
  HttpReply reply = reply_of("{}");
  reply.headers = "X-Goog-Upload-URL: https://evil.example/upload?id=1\r\n";
  const auto step = gemini->after_upload({}, reply);
  ASSERT_FALSE(step);
  EXPECT_THAT(step.error().message, HasSubstr("another host"));
}

TEST(BatchApi, ProvidersWithoutOneSayWhy) {
  for (const char* profile : {"deepseek", "ollama", "vllm", "openrouter"}) {
    const auto api = make_batch_api(config_for(profile));
    ASSERT_FALSE(api) << profile;
    EXPECT_THAT(api.error().message, HasSubstr(profile));
  }
  EXPECT_FALSE(make_batch_api(config_for("groq", WireFormat::openai_embeddings)));
}

TEST(BatchApi, FilesForOfflineEnginesAreOpenAis) {
  const auto api = offline_batch_api(config_for("vllm"));
  Request request;
  request.body = R"({"model":"m","messages":[]})";
  std::string text;
  ASSERT_TRUE(api->append_line(text, "c", request, true));
  const auto line = nlohmann::json::parse(text);
  EXPECT_EQ(line.at("url"), "/v1/chat/completions");
  EXPECT_EQ(line.at("method"), "POST");
  EXPECT_EQ(line.at("body").at("model"), "m");
}

}  // namespace
}  // namespace llmbatch::testing
