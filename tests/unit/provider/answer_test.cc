// Canned 200 replies of every wire format and what is read from them.
#include "support.h"

namespace llmbatch {
namespace {

using namespace testing;
using E = ErrorClass;

struct AnswerCase {
  const char* name;
  const char* profile;
  WireFormat format;
  std::string body;
  E expected;
  const char* output;
  bool is_json = false;
};

class Answer : public ::testing::TestWithParam<AnswerCase> {};

TEST_P(Answer, IsReadAndJudged) {
  const auto& test = GetParam();
  const auto provider = provider_of(config_for(test.profile, test.format));
  const auto outcome = provider->parse_response(reply_of(200, test.body));
  EXPECT_EQ(to_string(outcome.error), to_string(test.expected)) << outcome.message;
  EXPECT_EQ(outcome.completion.output, test.output);
  EXPECT_EQ(outcome.completion.output_is_json, test.is_json);
  EXPECT_EQ(outcome.message.empty(), test.expected == E::none) << outcome.message;
}

std::string choice(const std::string& message, const std::string& finish) {
  return R"({"model":"m","choices":[{"index":0,"message":)" + message + R"(,"finish_reason":")" +
         finish + "\"}]}";
}
std::string blocks(const std::string& content, const std::string& stop) {
  return R"({"type":"message","model":"m","content":[)" + content + R"(],"stop_reason":")" + stop +
         "\"}";
}
std::string candidate(const std::string& content, const std::string& finish) {
  return R"({"candidates":[{)" + content + R"("finishReason":")" + finish + "\"}]}";
}
std::string response(const std::string& status, const std::string& rest) {
  return R"({"object":"response","status":")" + status + R"(","error":null,)" + rest + "}";
}

constexpr auto kChat = WireFormat::openai_chat;
constexpr auto kResponses = WireFormat::openai_responses;
constexpr auto kAnthropic = WireFormat::anthropic_messages;
constexpr auto kGemini = WireFormat::gemini_generate;
const std::string kParis = R"({"role":"assistant","content":"Paris","refusal":null})";

INSTANTIATE_TEST_SUITE_P(
    Chat, Answer,
    ::testing::Values(
        AnswerCase{"plain", "openai", kChat, choice(kParis, "stop"), E::none, "Paris"},
        AnswerCase{"unknown_finish", "openai", kChat, choice(kParis, "eos"), E::none, "Paris"},
        AnswerCase{"escapes", "openai", kChat,
                   choice(R"({"content":"a\n\u00e9\"\ud83d\ude00"})", "stop"), E::none,
                   "a\n\xC3\xA9\"\xF0\x9F\x98\x80"},
        AnswerCase{"blank_lines_first", "deepseek", kChat, "\n\n  \r\n" + choice(kParis, "stop"),
                   E::none, "Paris"},
        AnswerCase{"bom", "openai", kChat, "\xEF\xBB\xBF" + choice(kParis, "stop"), E::none,
                   "Paris"},
        AnswerCase{"bad_utf8", "openai", kChat, choice("{\"content\":\"a\xFF\"}", "stop"), E::none,
                   "a\xEF\xBF\xBD"},
        AnswerCase{"half_a_character", "openai", kChat,
                   choice(R"({"content":"a\ud83d, \\ud83d \ude00 \ud83d\ude00"})", "stop"), E::none,
                   "a\xEF\xBF\xBD, \\ud83d \xEF\xBF\xBD \xF0\x9F\x98\x80"},
        AnswerCase{"null_error", "openai", kChat,
                   R"({"error":null,)" + choice(kParis, "stop").substr(1), E::none, "Paris"},
        AnswerCase{"empty_body", "openai", kChat, "", E::malformed, ""},
        AnswerCase{"only_spaces", "openai", kChat, " \n\n ", E::malformed, ""},
        AnswerCase{"html", "openai", kChat, "<html><title>Hi</title></html>", E::malformed, ""},
        AnswerCase{"cut", "openai", kChat, choice(kParis, "stop").substr(0, 60), E::malformed, ""},
        AnswerCase{"trailing_garbage", "openai", kChat, choice(kParis, "stop") + "}", E::malformed,
                   ""},
        AnswerCase{"stream", "openai", kChat, "data: {\"choices\":[]}\n\n", E::malformed, ""},
        AnswerCase{"scalar", "openai", kChat, "42", E::malformed, ""},
        AnswerCase{"array", "openai", kChat, "[1]", E::malformed, ""},
        AnswerCase{"no_choices", "openai", kChat, R"({"model":"m"})", E::malformed, ""},
        AnswerCase{"choices_null", "openai", kChat, R"({"choices":null})", E::malformed, ""},
        AnswerCase{"choices_empty", "openai", kChat, R"({"choices":[]})", E::malformed, ""},
        AnswerCase{"no_message", "openai", kChat, R"({"choices":[{"finish_reason":"stop"}]})",
                   E::malformed, ""},
        AnswerCase{"content_null", "openai", kChat, choice(R"({"content":null})", "stop"),
                   E::malformed, ""},
        AnswerCase{"content_empty", "deepseek", kChat, choice(R"({"content":""})", "stop"),
                   E::malformed, ""},
        AnswerCase{"tool_calls", "openai", kChat,
                   choice(R"({"content":null,"tool_calls":[{"id":"c", "type":"function"}]})",
                          "tool_calls"),
                   E::none, R"([{"id":"c","type":"function"}])", true},
        AnswerCase{"parts", "mistral", kChat,
                   choice(R"({"content":[{"type":"thinking","thinking":[]},)"
                          R"({"type":"text","text":"a"},{"type":"text","text":"b"}]})",
                          "stop"),
                   E::none, "ab"},
        AnswerCase{"refusal", "openai", kChat,
                   choice(R"({"content":null,"refusal":"I can't"})", "stop"), E::content_policy,
                   "I can't"},
        AnswerCase{"filter", "azure", kChat, choice(R"({"content":"par"})", "content_filter"),
                   E::content_policy, "par"},
        AnswerCase{"filter_without_message", "azure", kChat,
                   R"({"choices":[{"finish_reason":"content_filter"}]})", E::content_policy, ""},
        AnswerCase{"length", "openai", kChat, choice(R"({"content":"par"})", "length"),
                   E::truncated, "par"},
        AnswerCase{"length_empty", "openai", kChat, choice(R"({"content":""})", "length"),
                   E::truncated, ""},
        AnswerCase{"model_length", "mistral", kChat, choice(kParis, "model_length"), E::truncated,
                   "Paris"},
        AnswerCase{"finish_error", "openrouter", kChat, choice(kParis, "error"), E::server_error,
                   "Paris"},
        AnswerCase{"no_resource", "deepseek", kChat, choice(kParis, "insufficient_system_resource"),
                   E::overloaded, "Paris"},
        AnswerCase{"abort", "vllm", kChat, choice(kParis, "abort"), E::server_error, "Paris"}),
    [](const auto& test) { return std::string(test.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Responses, Answer,
    ::testing::Values(
        AnswerCase{"message_after_reasoning", "openai", kResponses,
                   response("completed",
                            R"("output":[{"type":"reasoning","summary":[]},{"type":"message",)"
                            R"("content":[{"type":"output_text","text":"Pa"},)"
                            R"({"type":"output_text","text":"ris"}]}])"),
                   E::none, "Paris"},
        AnswerCase{"refusal", "openai", kResponses,
                   response("completed", R"("output":[{"type":"message","content":)"
                                         R"([{"type":"refusal","refusal":"no"}]}])"),
                   E::content_policy, "no"},
        AnswerCase{"calls", "openai", kResponses,
                   response("completed", R"("output":[{"type":"function_call","name":"f"}])"),
                   E::none, R"([{"type":"function_call","name":"f"}])", true},
        AnswerCase{"capped", "openai", kResponses,
                   response("incomplete", R"("incomplete_details":{"reason":"max_output_tokens"},)"
                                          R"("output":[])"),
                   E::truncated, ""},
        AnswerCase{"filtered", "openai", kResponses,
                   response("incomplete", R"("incomplete_details":{"reason":"content_filter"})"),
                   E::content_policy, ""},
        AnswerCase{"failed", "openai", kResponses,
                   R"({"status":"failed","error":{"code":"server_error","message":"m"}})",
                   E::server_error, ""},
        AnswerCase{"failed_rate", "openai", kResponses,
                   R"({"status":"failed","error":{"code":"rate_limit_exceeded","message":"m"}})",
                   E::rate_limited, ""},
        AnswerCase{"failed_policy", "openai", kResponses,
                   R"({"status":"failed","error":{"code":"bio_policy","message":"m"}})",
                   E::content_policy, ""},
        AnswerCase{"failed_silently", "openai", kResponses, R"({"status":"failed"})",
                   E::server_error, ""},
        AnswerCase{"queued", "openai", kResponses, response("queued", R"("output":[])"),
                   E::malformed, ""},
        AnswerCase{"nothing", "openai", kResponses, "{}", E::malformed, ""}),
    [](const auto& test) { return std::string(test.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Anthropic, Answer,
    ::testing::Values(
        AnswerCase{"thinking_first", "anthropic", kAnthropic,
                   blocks(R"({"type":"thinking","thinking":"hm"},{"type":"text","text":"Paris"})",
                          "end_turn"),
                   E::none, "Paris"},
        AnswerCase{
            "tool_use", "anthropic", kAnthropic,
            blocks(R"({"type":"text","text":"a"},{"type":"tool_use","input":{"x":1}})", "tool_use"),
            E::none, R"([{"type":"tool_use","input":{"x":1}}])", true},
        AnswerCase{"refusal", "anthropic", kAnthropic, blocks("", "refusal"), E::content_policy,
                   ""},
        AnswerCase{"capped", "anthropic", kAnthropic,
                   blocks(R"({"type":"text","text":"a"})", "max_tokens"), E::truncated, "a"},
        AnswerCase{"window", "anthropic", kAnthropic,
                   blocks(R"({"type":"text","text":"a"})", "model_context_window_exceeded"),
                   E::truncated, "a"},
        AnswerCase{"paused", "anthropic", kAnthropic, blocks("", "pause_turn"), E::truncated, ""},
        AnswerCase{"empty", "anthropic", kAnthropic, blocks("", "end_turn"), E::malformed, ""},
        AnswerCase{"no_content", "anthropic", kAnthropic, "{}", E::malformed, ""}),
    [](const auto& test) { return std::string(test.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Gemini, Answer,
    ::testing::Values(
        AnswerCase{"thought_skipped", "gemini", kGemini,
                   candidate(R"("content":{"parts":[{"text":"hm","thought":true},{"text":"Pa"},)"
                             R"({"text":"ris"}]},)",
                             "STOP"),
                   E::none, "Paris"},
        AnswerCase{
            "call", "gemini", kGemini,
            candidate(R"("content":{"parts":[{"functionCall":{"name":"f","args":{}}}]},)", "STOP"),
            E::none, R"([{"name":"f","args":{}}])", true},
        AnswerCase{"prompt_blocked", "gemini", kGemini,
                   R"({"promptFeedback":{"blockReason":"SAFETY"}})", E::content_policy, ""},
        AnswerCase{"safety", "gemini", kGemini, candidate("", "SAFETY"), E::content_policy, ""},
        AnswerCase{"recitation", "gemini", kGemini, candidate("", "RECITATION"), E::content_policy,
                   ""},
        AnswerCase{"capped_while_thinking", "gemini", kGemini,
                   candidate(R"("content":{},)", "MAX_TOKENS"), E::truncated, ""},
        AnswerCase{"broken_call", "gemini", kGemini, candidate("", "MALFORMED_FUNCTION_CALL"),
                   E::malformed, ""},
        AnswerCase{"empty", "gemini", kGemini, candidate(R"("content":{"parts":[]},)", "STOP"),
                   E::malformed, ""},
        AnswerCase{"nothing", "gemini", kGemini, "{}", E::malformed, ""}),
    [](const auto& test) { return std::string(test.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Embeddings, Answer,
    ::testing::Values(AnswerCase{"vectors_as_written", "openai", WireFormat::openai_embeddings,
                                 R"({"data":[{"index":0,"embedding":[0.10, -2e-3]}],"model":"m"})",
                                 E::none, R"([{"index":0,"embedding":[0.10, -2e-3]}])", true},
                      AnswerCase{"none", "openai", WireFormat::openai_embeddings, R"({"data":[]})",
                                 E::malformed, ""},
                      AnswerCase{"cut", "openai", WireFormat::openai_embeddings,
                                 R"({"data":[{"index":0,"embedding":[0.1,)", E::malformed, ""}),
    [](const auto& test) { return std::string(test.param.name); });

struct UsageCase {
  const char* name;
  const char* profile;
  WireFormat format;
  const char* usage;  ///< the member with its name
  Usage expected;
};

class UsageOf : public ::testing::TestWithParam<UsageCase> {};

TEST_P(UsageOf, IsNormalised) {
  const auto& test = GetParam();
  const auto provider = provider_of(config_for(test.profile, test.format));
  const auto outcome =
      provider->parse_response(reply_of(200, std::string("{\"a\":1,") + test.usage + "}"));
  EXPECT_TRUE(outcome.completion.has_usage);
  const auto& usage = outcome.completion.usage;
  EXPECT_EQ(usage.input, test.expected.input);
  EXPECT_EQ(usage.cached_input, test.expected.cached_input);
  EXPECT_EQ(usage.cache_write, test.expected.cache_write);
  EXPECT_EQ(usage.output, test.expected.output);
  EXPECT_EQ(usage.reasoning, test.expected.reasoning);
  EXPECT_EQ(usage.reported_cost, test.expected.reported_cost);
}

Usage counts(TokenCount input, TokenCount cached, TokenCount written, TokenCount output,
             TokenCount reasoning, std::optional<Money> cost = std::nullopt) {
  return {.input = input,
          .cached_input = cached,
          .cache_write = written,
          .output = output,
          .reasoning = reasoning,
          .reported_cost = cost};
}

INSTANTIATE_TEST_SUITE_P(
    Providers, UsageOf,
    ::testing::Values(
        UsageCase{"openai", "openai", kChat,
                  R"("usage":{"prompt_tokens":2048,"completion_tokens":96,"total_tokens":2144,)"
                  R"("prompt_tokens_details":{"cached_tokens":1024,"cache_write_tokens":5},)"
                  R"("completion_tokens_details":{"reasoning_tokens":64}})",
                  counts(2048, 1024, 5, 96, 64)},
        UsageCase{
            "null_details", "vllm", kChat,
            R"("usage":{"prompt_tokens":7,"completion_tokens":3,"prompt_tokens_details":null})",
            counts(7, 0, 0, 3, 0)},
        UsageCase{
            "deepseek", "deepseek", kChat,
            R"("usage":{"prompt_tokens":10,"completion_tokens":3,"prompt_cache_hit_tokens":4,)"
            R"("prompt_cache_miss_tokens":6})",
            counts(10, 4, 0, 3, 0)},
        UsageCase{"xai", "xai", kChat,
                  R"("usage":{"prompt_tokens":10,"completion_tokens":3,"total_tokens":33,)"
                  R"("completion_tokens_details":{"reasoning_tokens":20}})",
                  counts(10, 0, 0, 23, 20)},
        UsageCase{"xai_inclusive", "xai", kChat,
                  R"("usage":{"prompt_tokens":10,"completion_tokens":23,"total_tokens":33,)"
                  R"("completion_tokens_details":{"reasoning_tokens":20}})",
                  counts(10, 0, 0, 23, 20)},
        UsageCase{"openrouter", "openrouter", kChat,
                  R"("usage":{"prompt_tokens":1,"completion_tokens":2,"cost":0.0001234567890129})",
                  counts(1, 0, 0, 2, 0, Money::from_pico(123456789))},
        UsageCase{"openrouter_exponent", "openrouter", kChat,
                  R"("usage":{"prompt_tokens":1,"completion_tokens":2,"cost":1.5e-06})",
                  counts(1, 0, 0, 2, 0, Money::from_pico(1500000))},
        UsageCase{"gemini_compatible", "gemini", kChat,
                  R"("usage":{"prompt_tokens":10,"completion_tokens":3,"total_tokens":40})",
                  counts(10, 0, 0, 30, 27)},
        UsageCase{"embeddings", "openai", WireFormat::openai_embeddings,
                  R"("usage":{"prompt_tokens":5,"total_tokens":5})", counts(5, 0, 0, 0, 0)},
        UsageCase{"responses", "openai", kResponses,
                  R"("usage":{"input_tokens":30,"input_tokens_details":{"cached_tokens":9},)"
                  R"("output_tokens":12,"output_tokens_details":{"reasoning_tokens":8}})",
                  counts(30, 9, 0, 12, 8)},
        UsageCase{
            "anthropic", "anthropic", kAnthropic,
            R"("usage":{"input_tokens":20,"output_tokens":9,"cache_creation_input_tokens":100,)"
            R"("cache_read_input_tokens":1000,"output_tokens_details":{"thinking_tokens":4}})",
            counts(1120, 1000, 100, 9, 4)},
        UsageCase{"gemini", "gemini", kGemini,
                  R"("usageMetadata":{"promptTokenCount":12,"candidatesTokenCount":1,)"
                  R"("thoughtsTokenCount":40,"cachedContentTokenCount":2,"totalTokenCount":53})",
                  counts(12, 2, 0, 41, 40)},
        UsageCase{"wild_numbers", "openai", kChat,
                  R"("usage":{"prompt_tokens":7.0,"completion_tokens":-3,)"
                  R"("prompt_tokens_details":{"cached_tokens":99}})",
                  counts(7, 7, 0, 0, 0)}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(UsageOfReply, IsAbsentWhenTheProviderCountsNothing) {
  const auto provider = provider_of(config_for("ollama"));
  for (const char* usage :
       {"", R"(,"usage":null)", R"(,"usage":{"prompt_tokens":0,"completion_tokens":0})"}) {
    const auto body = R"({"choices":[{"message":{"content":"x"}}])" + std::string(usage) + "}";
    const auto outcome = provider->parse_response(reply_of(200, body));
    EXPECT_EQ(outcome.error, E::none);
    EXPECT_FALSE(outcome.completion.has_usage) << usage;
  }
}

TEST(AnswerRecord, KeepsModelFinishReasonRequestIdAndLimits) {
  const auto provider = provider_of(config_for("openai"));
  const auto outcome = provider->parse_response(
      reply_of(200, choice(kParis, "stop"),
               "X-Request-Id: req_1\r\nx-ratelimit-limit-requests: 500\r\nretry-after: 5\r\n"));
  EXPECT_EQ(outcome.completion.model, "m");
  EXPECT_EQ(outcome.completion.finish_reason, "stop");
  EXPECT_EQ(outcome.request_id, "req_1");
  EXPECT_EQ(outcome.limits.requests_per_minute.limit, 500);
  EXPECT_EQ(outcome.retry_after, std::nullopt);
}

TEST(AnswerRecord, KeepsWhatWasPaidForBesideAnError) {
  const auto provider = provider_of(config_for("openrouter"));
  const auto outcome = provider->parse_response(
      reply_of(200, R"({"error":{"code":502,"message":"m"},"usage":{"prompt_tokens":5}})"));
  EXPECT_EQ(outcome.error, E::server_error);
  EXPECT_EQ(outcome.message, "m");
  EXPECT_EQ(outcome.completion.usage.input, 5);
}

}  // namespace
}  // namespace llmbatch
