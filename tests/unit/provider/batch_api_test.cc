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

TEST(BatchApi, AbsurdCountsDoNotOverflow) {
  const std::string most = "9223372036854775807";
  const auto check = [](const char* provider, const std::string& body) {
    const RemoteBatch batch = batch_of(provider, body);
    ASSERT_TRUE(batch.counts) << provider;
    EXPECT_GT(batch.counts->succeeded + batch.counts->failed, 1'000'000'000) << provider;
    EXPECT_GT(batch.counts->total, 1'000'000'000) << provider;
  };
  check("openai", R"({"id":"b","status":"in_progress","request_counts":{"total":)" + most +
                      R"(,"completed":)" + most + R"(,"failed":)" + most + "}}");
  check("anthropic", R"({"id":"b","processing_status":"ended","request_counts":{"processing":)" +
                         most + R"(,"succeeded":)" + most + R"(,"errored":)" + most +
                         R"(,"canceled":)" + most + R"(,"expired":)" + most + "}}");
  check("mistral", R"({"id":"b","status":"RUNNING","total_requests":)" + most +
                       R"(,"succeeded_requests":)" + most + R"(,"failed_requests":)" + most + "}");
  check("gemini", R"({"name":"batches/b","metadata":{"state":"BATCH_STATE_RUNNING","batchStats":)"
                  R"({"requestCount":")" +
                      most + R"(","successfulRequestCount":")" + most +
                      R"(","failedRequestCount":")" + most + R"("}}})");
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
  EXPECT_EQ(status_of("conflict_error"), 409);
  EXPECT_EQ(status_of("something_new"), 500);
}

TEST(BatchApi, AnthropicsArchivedResultsWereThere) {
  const auto results_of = [](const std::string& members) {
    return batch_of("anthropic", R"({"id":"b","processing_status":"ended",)" + members + "}")
        .results;
  };
  EXPECT_EQ(results_of(R"("results_url":null,"archived_at":"2026-11-23T10:00:00Z")").size(), 1u);
  EXPECT_EQ(results_of(R"("results_url":null,"request_counts":{"succeeded":3})").size(), 1u);
  EXPECT_EQ(results_of(R"("results_url":null,"request_counts":{"errored":3})").size(), 1u);
  EXPECT_TRUE(results_of(R"("results_url":null,"request_counts":{"canceled":3})").empty());
  EXPECT_TRUE(batch_of("anthropic",
                       R"({"id":"b","processing_status":"in_progress","results_url":null,)"
                       R"("request_counts":{"succeeded":3}})")
                  .results.empty());
}

TEST(BatchApi, AnthropicRefusesWhatOnlyRealTimeTakes) {
  const auto api = api_of("anthropic");
  const auto message_of = [&](const std::string& member) {
    Request request;
    request.body = R"({"model":"m","messages":[],)" + member + "}";
    std::string text;
    const Status status = api->append_line(text, "c", request, true);
    EXPECT_EQ(status.has_value(), !text.empty());
    return status ? std::string() : status.error().message;
  };
  for (const char* name :
       {"speed", "store", "previous_thread_event_id", "cache_hint", "context_hint"}) {
    EXPECT_THAT(message_of("\"" + std::string(name) + R"(":"x","max_tokens":5)"), HasSubstr(name));
    EXPECT_EQ(message_of("\"" + std::string(name) + R"(":null,"max_tokens":5)"), "");
  }
  EXPECT_THAT(message_of(R"("max_tokens":0)"), HasSubstr("max_tokens"));
  EXPECT_EQ(message_of(R"("max_tokens":10)"), "");
}

TEST(BatchApi, GeminiAnswersACancelWithNothing) {
  const auto batch = api_of("gemini")->parse_batch(reply_of("{}"));
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_TRUE(batch->id.empty());
  EXPECT_EQ(batch->state, RemoteBatchState::cancelling);
}

/// Where the upload goes on after a reply that names `target`; empty: nowhere.
std::string upload_target(const std::string& target, const std::string& base = "") {
  ProviderConfig config = config_for("gemini");
  if (!base.empty()) config.base_url = base;
  const auto api = make_batch_api(config);
  HttpReply reply = reply_of("{}");
  reply.headers = "X-Goog-Upload-URL: " + target + "\r\nX-Goog-Upload-Status: active\r\n";
  const auto step = (*api)->after_upload({}, reply);
  if (step) return step->request->url;
  EXPECT_THAT(step.error().message, HasSubstr("another host"));
  return {};
}

TEST(BatchApi, GeminisUploadGoesToNoOtherHost) {
  const std::string google = "https://upload.generativelanguage.googleapis.com/x?upload_id=1";
  EXPECT_EQ(upload_target(google), google);
  EXPECT_EQ(upload_target("https://generativelanguage.googleapis.com/x?u=1/2"),
            "https://generativelanguage.googleapis.com/x?u=1/2");
  for (const char* evil :
       {"https://evil.example/upload?id=1", "https://evil?.googleapis.com",
        "https://evil#.googleapis.com/x", "https://evil\\.googleapis.com/x",
        "https://evil.example@x.googleapis.com/", "https://x.googleapis.com@evil.example/",
        "https://evil%2f.googleapis.com/", "https://evilgoogleapis.com/",
        "http://generativelanguage.googleapis.com/x", "//x.googleapis.com/x", "/x", "https:///x",
        "https://evil .googleapis.com/x", "ftp://x.googleapis.com/x"}) {
    EXPECT_EQ(upload_target(evil), "") << evil;
  }
  // A server of somebody's own sends it to itself, and not to Google either.
  EXPECT_EQ(upload_target("http://localhost:8080/up", "http://localhost:8080/v1beta"),
            "http://localhost:8080/up");
  EXPECT_EQ(upload_target("http://localhost:8081/up", "http://localhost:8080/v1beta"), "");
  EXPECT_EQ(upload_target(google, "http://localhost:8080/v1beta"), "");
}

TEST(BatchApi, GeminisUploadThatIsFinalIsNotBegunAgain) {
  HttpReply reply = reply_of(R"({"file":{"name":"files/a","state":"ACTIVE"}})");
  reply.headers =
      "X-Goog-Upload-URL: https://generativelanguage.googleapis.com/x\r\n"
      "X-Goog-Upload-Status: final\r\n";
  const auto step = api_of("gemini")->after_upload({}, reply);
  ASSERT_TRUE(step) << step.error().message;
  ASSERT_TRUE(step->file);
  EXPECT_EQ(step->file->id, "files/a");
}

TEST(BatchApi, GeminiUploadsBesideItsApi) {
  ProviderConfig config = config_for("gemini");
  EXPECT_EQ((*make_batch_api(config))->upload({}).url,
            "https://generativelanguage.googleapis.com/upload/v1beta/files");
  config.base_url = "https://gateway.example/google/v1beta?tenant=7";
  EXPECT_EQ((*make_batch_api(config))->upload({}).url,
            "https://gateway.example/upload/google/v1beta/files?tenant=7");
  config.base_url = "http://localhost:1";
  EXPECT_EQ((*make_batch_api(config))->upload({}).url, "http://localhost:1/upload/files");
}

TEST(BatchApi, GeminiEndsWithoutAState) {
  const auto state_of = [](const std::string& members) {
    return batch_of("gemini", R"({"name":"batches/b",)" + members + "}").state;
  };
  EXPECT_EQ(state_of(R"("done":true,"response":{"responsesFile":"files/r"})"),
            RemoteBatchState::completed);
  EXPECT_EQ(state_of(R"("done":true,"error":{"code":3,"message":"m"})"), RemoteBatchState::failed);
  EXPECT_EQ(state_of(R"("done":true,"error":{"code":1,"message":"m"})"),
            RemoteBatchState::cancelled);
  EXPECT_EQ(state_of(R"("done":false)"), RemoteBatchState::unknown);
  // Nothing says that there are no answers.
  EXPECT_EQ(state_of(R"("done":true)"), RemoteBatchState::unknown);
}

TEST(BatchApi, AKeyOfGeminiThatExpiredIsNoRequestThatDid) {
  const auto answer_of = [](const std::string& error) {
    return *api_of("gemini")->parse_answer(R"({"key":"c","error":)" + error + "}");
  };
  const BatchAnswer key = answer_of(R"({"code":400,"message":"API key expired. Renew it."})");
  EXPECT_TRUE(key.answered);
  EXPECT_EQ(provider_of(config_for("gemini"))->parse_response(key.reply).error,
            ErrorClass::authentication);
  EXPECT_TRUE(answer_of(R"({"code":3,"message":"The file URI expired."})").answered);
  EXPECT_EQ(answer_of(R"({"code":4,"message":"The batch Expired."})").reason, "expired");
}

TEST(BatchApi, AzureBatchesBelongToTheResource) {
  ProviderConfig config = config_for("azure");
  config.base_url = "https://r.openai.azure.com/openai/deployments/dep-1?api-version=v";
  const auto api = std::move(*make_batch_api(config));
  EXPECT_EQ(api->upload({}).url, "https://r.openai.azure.com/openai/files?api-version=v");
  EXPECT_EQ(api->create({}).url, "https://r.openai.azure.com/openai/batches?api-version=v");
  EXPECT_EQ(api->get("b").url, "https://r.openai.azure.com/openai/batches/b?api-version=v");
  EXPECT_EQ(api->download("f").url,
            "https://r.openai.azure.com/openai/files/f/content?api-version=v");
  EXPECT_EQ(api_of("azure")->create({}).url, "https://res.openai.azure.com/openai/v1/batches");
  Request request;
  request.body = "{}";
  std::string line;
  ASSERT_TRUE(api->append_line(line, "c", request, true));
  EXPECT_THAT(line, HasSubstr(R"("url":"/chat/completions","body":{"model":"dep-1"}})"));
}

TEST(BatchApi, MistralsJobs) {
  EXPECT_TRUE(batch_of("mistral", R"({"id":"b","status":"FAILED",)"
                                  R"("errors":[{"message":"Enqueued token limit","count":9}]})")
                  .retry_later);
  EXPECT_EQ(api_of("mistral")->parse_file(reply_of(R"({"id":"f","status":"processing"})"))->state,
            RemoteFile::State::processing);
  const auto none = make_batch_api(config_for("mistral", WireFormat::openai_responses));
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("responses"));
}

struct ErrorCase {
  const char* error;  ///< of a line without a response
  ErrorClass wanted;
};

class BareErrors : public ::testing::TestWithParam<ErrorCase> {};

TEST_P(BareErrors, AreJudgedByTheirCodes) {
  const auto provider = provider_of(config_for("openai"));
  const std::string error = GetParam().error;
  // Beside no response, an empty one, and a success without a body.
  for (const char* response :
       {"null", "{}", R"({"status_code":0})", R"({"status_code":200,"body":{}})",
        R"({"status_code":200,"body":null})"}) {
    const auto answer = api_of("openai")->parse_answer(
        std::string(R"({"custom_id":"c","response":)") + response + R"(,"error":)" + error + "}");
    ASSERT_TRUE(answer);
    ASSERT_TRUE(answer->answered) << response;
    EXPECT_EQ(provider->parse_response(answer->reply).error, GetParam().wanted) << response;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Codes, BareErrors,
    ::testing::Values(
        ErrorCase{R"({"code":"content_filter","message":"m"})", ErrorClass::content_policy},
        ErrorCase{R"({"code":"invalid_prompt","message":"m"})", ErrorClass::content_policy},
        ErrorCase{R"({"code":"context_length_exceeded","message":"m"})",
                  ErrorClass::context_length},
        ErrorCase{R"({"code":"unsupported_value","message":"m"})", ErrorClass::invalid_request},
        ErrorCase{R"({"type":"invalid_request_error","code":null,"message":"m"})",
                  ErrorClass::invalid_request},
        ErrorCase{R"({"code":404,"message":"no such thing"})", ErrorClass::invalid_request},
        ErrorCase{R"({"code":"404","message":"no such model"})", ErrorClass::model_not_found},
        ErrorCase{R"({"code":"model_not_found","message":"m"})", ErrorClass::model_not_found},
        ErrorCase{R"({"code":429,"message":"m"})", ErrorClass::rate_limited},
        ErrorCase{R"({"code":"rate_limit_exceeded","message":"m"})", ErrorClass::rate_limited},
        ErrorCase{R"({"code":"1300","type":"rate_limited","raw_status_code":429,"message":"m"})",
                  ErrorClass::rate_limited},
        ErrorCase{R"({"code":"insufficient_quota","message":"m"})", ErrorClass::quota_exhausted},
        ErrorCase{R"({"code":"invalid_api_key","message":"m"})", ErrorClass::authentication},
        ErrorCase{R"({"code":"server_error","message":"m"})", ErrorClass::server_error},
        ErrorCase{R"({"code":"something_new","message":"m"})", ErrorClass::server_error},
        ErrorCase{R"({"message":"m"})", ErrorClass::server_error},
        ErrorCase{R"("only words")", ErrorClass::server_error}));

TEST(BatchApi, AnAnswerThatIsThereCountsWhateverStandsBesideIt) {
  const auto answer = api_of("openai")->parse_answer(
      R"({"custom_id":"c","response":{"status_code":200,"body":{"choices":[]}},)"
      R"("error":{"code":"server_error","message":"m"}})");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->reply.status, 200);
  EXPECT_EQ(answer->reply.body, R"({"choices":[]})");
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
