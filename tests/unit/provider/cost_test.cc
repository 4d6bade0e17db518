// The cost of a call from the raw reply of each provider: providers disagree on whether cached and
// reasoning tokens stand inside or beside the totals. Every sum is worked out by hand.
#include "llmbatch/policy/pricing.h"
#include "support.h"

namespace llmbatch {
namespace {

using namespace testing;

constexpr auto kChat = WireFormat::openai_chat;

struct CostCase {
  const char* name;
  const char* profile;
  WireFormat format;
  const char* model;
  std::string usage;
  const char* usd;
};

class ReplyCost : public ::testing::TestWithParam<CostCase> {};

std::string reply_body(WireFormat format, const std::string& usage) {
  switch (format) {
    case WireFormat::openai_chat:
      return R"({"model":"answered","choices":[{"index":0,"message":{"content":"Paris"},)"
             R"("finish_reason":"stop"}],"usage":)" +
             usage + "}";
    case WireFormat::openai_responses:
      return R"({"object":"response","status":"completed","error":null,"output":[{"type":)"
             R"("message","content":[{"type":"output_text","text":"Paris"}]}],"usage":)" +
             usage + "}";
    case WireFormat::openai_embeddings:
      return R"({"object":"list","data":[{"index":0,"embedding":[0.1]}],"usage":)" + usage + "}";
    case WireFormat::anthropic_messages:
      return R"({"type":"message","content":[{"type":"text","text":"Paris"}],"stop_reason":)"
             R"("end_turn","usage":)" +
             usage + "}";
    case WireFormat::gemini_generate:
      return R"({"candidates":[{"content":{"parts":[{"text":"Paris"}]},"finishReason":"STOP"}],)"
             R"("usageMetadata":)" +
             usage + "}";
  }
  return {};
}

TEST_P(ReplyCost, IsTheHandSum) {
  const auto& test = GetParam();
  const auto provider = provider_of(config_for(test.profile, test.format));
  const auto outcome = provider->parse_response(reply_of(200, reply_body(test.format, test.usage)));
  ASSERT_EQ(to_string(outcome.error), to_string(ErrorClass::none)) << outcome.message;
  ASSERT_TRUE(outcome.completion.has_usage);
  const ModelPrice* price = PriceTable::shipped().find(test.profile, test.model);
  ASSERT_NE(price, nullptr);
  // A Sunday: off-peak everywhere.
  const auto money = cost(*price, outcome.completion.usage, *parse_rfc3339("2026-11-22T07:00:00Z"),
                          BillingMode::real_time);
  ASSERT_TRUE(money);
  EXPECT_EQ(money->to_decimal(), test.usd);
}

INSTANTIATE_TEST_SUITE_P(
    Providers, ReplyCost,
    ::testing::Values(
        // Cached inside prompt, reasoning inside completion:
        // 1024 x 0.1 + 1024 x 0.01 + 96 x 0.5 = 160.64 millionths
        CostCase{"openai_chat", "openai", kChat, "gpt-6-luna-2026-08-01",
                 R"({"prompt_tokens":2048,"completion_tokens":96,"total_tokens":2144,)"
                 R"("prompt_tokens_details":{"cached_tokens":1024,"audio_tokens":0,)"
                 R"("cache_write_tokens":0},"completion_tokens_details":{"reasoning_tokens":64}})",
                 "0.00016064"},
        // Cache writes inside prompt: 500 x 4 + 1000 x 0.4 + 1500 x 5 + 200 x 20
        CostCase{"openai_cache_write", "openai", kChat, "gpt-5.6-sol",
                 R"({"prompt_tokens":3000,"completion_tokens":200,"total_tokens":3200,)"
                 R"("prompt_tokens_details":{"cached_tokens":1000,"cache_write_tokens":1500}})",
                 "0.0139"},
        // 1000 x 0.25 + 200 x 0.025 + 50 x 2
        CostCase{"openai_responses", "openai", WireFormat::openai_responses, "gpt-5-mini",
                 R"({"input_tokens":1200,"input_tokens_details":{"cached_tokens":200},)"
                 R"("output_tokens":50,"output_tokens_details":{"reasoning_tokens":30},)"
                 R"("total_tokens":1250})",
                 "0.000355"},
        // 5 x 0.02
        CostCase{"openai_embeddings", "openai", WireFormat::openai_embeddings,
                 "text-embedding-3-small", R"({"prompt_tokens":5,"total_tokens":5})", "0.0000001"},
        // Cached and written beside input, thinking inside output:
        // 20 x 1 + 100 x 1.25 + 200 x 2 + 400 x 0.1 + 9 x 5
        CostCase{"anthropic", "anthropic", WireFormat::anthropic_messages,
                 "claude-haiku-4-5-20251001",
                 R"({"input_tokens":20,"output_tokens":9,"cache_creation_input_tokens":300,)"
                 R"("cache_read_input_tokens":400,"cache_creation":{"ephemeral_5m_input_tokens":)"
                 R"(100,"ephemeral_1h_input_tokens":200},"output_tokens_details":)"
                 R"({"thinking_tokens":5},"service_tier":"standard"})",
                 "0.00063"},
        // Without the split every write is of the shorter kind: 20 x 1 + 300 x 1.25 + 9 x 5
        CostCase{"anthropic_unsplit", "anthropic", WireFormat::anthropic_messages,
                 "claude-haiku-4-5",
                 R"({"input_tokens":20,"output_tokens":9,"cache_creation_input_tokens":300})",
                 "0.00044"},
        // Thoughts beside candidates, tool prompt beside prompt, cached inside prompt:
        // 650 x 0.3 + 400 x 0.03 + 50 x 2.5
        CostCase{"gemini", "gemini", WireFormat::gemini_generate, "gemini-2.5-flash",
                 R"({"promptTokenCount":1000,"cachedContentTokenCount":400,)"
                 R"("candidatesTokenCount":20,"thoughtsTokenCount":30,"toolUsePromptTokenCount":)"
                 R"(50,"totalTokenCount":1100})",
                 "0.000332"},
        // Reasoning beside completion: 100 x 1.25 + 30 x 2.5
        CostCase{"xai", "xai", kChat, "grok-4.3",
                 R"({"prompt_tokens":100,"completion_tokens":10,"total_tokens":130,)"
                 R"("completion_tokens_details":{"reasoning_tokens":20}})",
                 "0.0002"},
        // Hits and misses add up to prompt: 36 x 0.15 + 64 x 0.003 + 10 x 0.6
        CostCase{"deepseek", "deepseek", kChat, "deepseek-flash",
                 R"({"prompt_tokens":100,"prompt_cache_hit_tokens":64,)"
                 R"("prompt_cache_miss_tokens":36,"completion_tokens":10,"total_tokens":110})",
                 "0.000011592"},
        // 100 x 0.15 + 10 x 0.6
        CostCase{"mistral", "mistral", kChat, "mistral-small-4",
                 R"({"prompt_tokens":100,"completion_tokens":10,"total_tokens":110})", "0.000021"},
        // 60 x 0.15 + 40 x 0.075 + 10 x 0.6
        CostCase{"groq", "groq", kChat, "openai/gpt-oss-120b",
                 R"({"queue_time":0.1,"prompt_tokens":100,"completion_tokens":10,)"
                 R"("total_tokens":110,"prompt_tokens_details":{"cached_tokens":40}})",
                 "0.000018"},
        // 100 x 0.15 + 10 x 0.6
        CostCase{"together", "together", kChat, "openai/gpt-oss-120b",
                 R"({"prompt_tokens":100,"completion_tokens":10,"total_tokens":110})", "0.000021"},
        // 60 x 0.15 + 40 x 0.015 + 10 x 0.6
        CostCase{"fireworks", "fireworks", kChat, "accounts/fireworks/models/gpt-oss-120b",
                 R"({"prompt_tokens":100,"completion_tokens":10,"total_tokens":110,)"
                 R"("prompt_tokens_details":{"cached_tokens":40}})",
                 "0.0000156"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ReportedCost, OfOpenRouterIsTakenAsItStands) {
  const auto provider = provider_of(config_for("openrouter"));
  const auto cost_in = [&](const std::string& figure) {
    return provider
        ->parse_response(reply_of(
            200, reply_body(kChat,
                            R"({"prompt_tokens":1,"completion_tokens":1,"cost":)" + figure + "}")))
        .completion.usage.reported_cost;
  };
  EXPECT_EQ(cost_in("0.00014"), Money::from_pico(140'000'000));
  EXPECT_EQ(cost_in("1.4e-4"), Money::from_pico(140'000'000));
  // A credit would make room in a budget that is not there.
  EXPECT_EQ(cost_in("-5"), std::nullopt);
  EXPECT_EQ(cost_in("\"free\""), std::nullopt);
}

std::string model_of(const Provider& provider, const LineFields& line) {
  Request request;
  request.model = "of the line before";
  if (auto status = provider.build_request(line, request); !status) {
    return "error: " + status.error().message;
  }
  return request.model;
}

TEST(RequestModel, IsTheOneThatTheBodyNames) {
  const auto provider = provider_of(config_for("openai"));
  const RawField own[] = {{"model", R"("gpt-4o")"}};
  const RawField escaped[] = {{"model", R"("gpt\u002d4o")"}};
  EXPECT_EQ(model_of(*provider, prompt_line(R"("Hi")")), "m");
  EXPECT_EQ(model_of(*provider, prompt_line(R"("Hi")", own)), "gpt-4o");
  EXPECT_EQ(model_of(*provider, prompt_line(R"("Hi")", escaped)), "gpt-4o");
  EXPECT_EQ(model_of(*provider, batch_line("/v1/chat/completions", R"({"messages":[]})")), "m");
  EXPECT_EQ(
      model_of(*provider, batch_line("/v1/chat/completions", R"({"messages":[],"model":"o3"})")),
      "o3");
}

TEST(RequestModel, IsTheOneThatTheGeminiUrlNames) {
  auto config = config_for("gemini");
  config.defaults.model = "models/gemini-2.5-pro";
  const auto provider = provider_of(std::move(config));
  const RawField own[] = {{"model", R"("gemini-2.5-flash")"}};
  EXPECT_EQ(model_of(*provider, prompt_line(R"("Hi")")), "gemini-2.5-pro");
  EXPECT_EQ(model_of(*provider, prompt_line(R"("Hi")", own)), "gemini-2.5-flash");
  EXPECT_EQ(model_of(*provider, batch_line("/v1beta/models/gemini-2.5-flash-lite:generateContent",
                                           R"({"contents":[]})")),
            "gemini-2.5-flash-lite");
  EXPECT_EQ(model_of(*provider, batch_line("", R"({"contents":[]})")), "gemini-2.5-pro");
}

}  // namespace
}  // namespace llmbatch
