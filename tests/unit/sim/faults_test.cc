#include <chrono>

#include "sim_fixture.h"

namespace llmbatch::sim {
namespace {

using nlohmann::json;
using test::RawHttpClient;
using test::RawReply;

class Faults : public ::testing::Test {
 protected:
  RawReply chat(const std::string& script) {
    return post_chat(*simulator_, "hello [[sim:" + script + "]]");
  }
  RawReply messages(const std::string& script) {
    return post_messages(*simulator_, "hello [[sim:" + script + "]]");
  }
  RawReply gemini(const std::string& script) {
    return RawHttpClient(simulator_->port())
        .post(kGemini, gemini_body("hello [[sim:" + script + "]]"));
  }
  RawReply responses(const std::string& script) {
    return RawHttpClient(simulator_->port())
        .post("/v1/responses", R"({"model":"m","input":"hello [[sim:)" + script + R"(]]"})");
  }

  std::unique_ptr<Simulator> simulator_ = start_simulator();
};

TEST_F(Faults, StatusesComeInTheEnvelopeOfTheApi) {
  const RawReply openai = chat("500");
  EXPECT_EQ(openai.status, 500);
  EXPECT_EQ(json_of(openai)["error"]["type"], "server_error");
  EXPECT_TRUE(json_of(openai)["error"]["code"].is_null());
  const RawReply anthropic = messages("529");
  EXPECT_EQ(anthropic.status, 529);
  EXPECT_EQ(json_of(anthropic)["type"], "error");
  EXPECT_EQ(json_of(anthropic)["error"]["type"], "overloaded_error");
  const RawReply google = gemini("500");
  EXPECT_EQ(json_of(google)["error"]["code"], 500);
  EXPECT_EQ(json_of(google)["error"]["status"], "INTERNAL");
}

TEST_F(Faults, A429SaysWhenToComeBackAsTheApiDoes) {
  const RawReply openai = chat("429=1500ms");
  EXPECT_EQ(openai.status, 429);
  EXPECT_EQ(openai.header("retry-after-ms"), "1500");
  EXPECT_EQ(openai.header("retry-after"), "2");
  EXPECT_EQ(json_of(openai)["error"]["code"], "rate_limit_exceeded");
  const RawReply anthropic = messages("429=7s");
  EXPECT_EQ(anthropic.header("retry-after"), "7");
  EXPECT_EQ(anthropic.header("retry-after-ms"), "");
  const RawReply google = gemini("429=36s");
  EXPECT_EQ(google.header("retry-after"), "");
  EXPECT_EQ(json_of(google)["error"]["details"][1]["retryDelay"], "36s");
}

TEST_F(Faults, GatewayErrorsAreNotJson) {
  const RawReply html = chat("502");
  EXPECT_EQ(html.status, 502);
  EXPECT_EQ(html.header("content-type"), "text/html");
  EXPECT_EQ(html.body.substr(0, 6), "<html>");
  const RawReply unavailable = chat("503");
  EXPECT_EQ(unavailable.status, 503);
  EXPECT_TRUE(unavailable.complete);
  EXPECT_EQ(unavailable.body, "");
  const RawReply not_json = chat("notjson");
  EXPECT_EQ(not_json.status, 200);
  EXPECT_TRUE(json_of(not_json).is_discarded());
}

TEST_F(Faults, ResetEndsTheConnectionWithoutAByte) {
  const RawReply reply = chat("reset");
  EXPECT_EQ(reply.status, 0);
  EXPECT_TRUE(reply.reset);
}

TEST_F(Faults, CutEndsInsideTheBody) {
  const RawReply reply = chat("cut");
  EXPECT_EQ(reply.status, 200);
  EXPECT_FALSE(reply.complete);
  EXPECT_FALSE(reply.body.empty());
}

TEST_F(Faults, TruncatedJsonHasALengthThatFits) {
  const RawReply reply = chat("truncated");
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.complete);
  EXPECT_FALSE(reply.body.empty());
  EXPECT_TRUE(json_of(reply).is_discarded());
}

TEST_F(Faults, EmptyIsA200WithNothing) {
  const RawReply reply = chat("empty");
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.complete);
  EXPECT_EQ(reply.body, "");
}

TEST_F(Faults, ErrorsInside200) {
  EXPECT_EQ(json_of(chat("error200"))["error"]["code"], 502);
  EXPECT_EQ(json_of(responses("error200"))["status"], "failed");
  const RawReply anthropic = messages("error200");
  EXPECT_EQ(anthropic.status, 200);
  EXPECT_EQ(json_of(anthropic)["type"], "error");
  EXPECT_TRUE(json_of(chat("nochoices"))["choices"].empty());
  EXPECT_TRUE(json_of(responses("nochoices"))["output"].empty());
  EXPECT_TRUE(json_of(messages("nochoices"))["content"].empty());
  EXPECT_FALSE(json_of(gemini("nochoices")).contains("candidates"));
}

TEST_F(Faults, BlockedPrompts) {
  const RawReply openai = chat("filter");
  EXPECT_EQ(openai.status, 400);
  EXPECT_EQ(json_of(openai)["error"]["code"], "content_policy_violation");
  const RawReply azure =
      RawHttpClient(simulator_->port())
          .post("/openai/deployments/d/chat/completions", chat_body("[[sim:filter]]"));
  EXPECT_EQ(azure.status, 400);
  EXPECT_EQ(json_of(azure)["error"]["innererror"]["code"], "ResponsibleAIPolicyViolation");
  const RawReply google = gemini("filter");
  EXPECT_EQ(google.status, 200);
  EXPECT_EQ(json_of(google)["promptFeedback"]["blockReason"], "SAFETY");
  EXPECT_EQ(messages("filter").status, 400);
}

TEST_F(Faults, BlockedAnswersAndRefusals) {
  const json filtered = json_of(chat("filter200"));
  EXPECT_EQ(filtered["choices"][0]["finish_reason"], "content_filter");
  EXPECT_TRUE(filtered["choices"][0]["message"]["content"].is_null());
  const json refused = json_of(chat("refusal"));
  EXPECT_EQ(refused["choices"][0]["finish_reason"], "stop");
  EXPECT_TRUE(refused["choices"][0]["message"]["refusal"].is_string());
  EXPECT_EQ(json_of(messages("refusal"))["stop_reason"], "refusal");
  EXPECT_EQ(json_of(messages("refusal"))["stop_details"]["type"], "refusal");
  EXPECT_EQ(json_of(gemini("filter200"))["candidates"][0]["finishReason"], "SAFETY");
  EXPECT_EQ(json_of(responses("filter200"))["incomplete_details"]["reason"], "content_filter");
  EXPECT_EQ(json_of(responses("refusal"))["output"][1]["content"][0]["type"], "refusal");
}

TEST_F(Faults, StoppedAtTheTokenCap) {
  EXPECT_EQ(json_of(chat("length"))["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(json_of(messages("length"))["stop_reason"], "max_tokens");
  EXPECT_EQ(json_of(gemini("length"))["candidates"][0]["finishReason"], "MAX_TOKENS");
  EXPECT_EQ(json_of(responses("length"))["incomplete_details"]["reason"], "max_output_tokens");
}

TEST_F(Faults, GoodAnswersWithOddities) {
  EXPECT_FALSE(json_of(chat("nousage")).contains("usage"));
  EXPECT_FALSE(json_of(gemini("nousage")).contains("usageMetadata"));
  const RawReply blank = chat("blank");
  EXPECT_EQ(blank.body.substr(0, 2), "\n\n");
  EXPECT_EQ(json_of(blank)["object"], "chat.completion");
}

TEST_F(Faults, PermanentErrorsNameThemselves) {
  EXPECT_EQ(json_of(chat("quota"))["error"]["code"], "insufficient_quota");
  EXPECT_EQ(json_of(messages("quota"))["error"]["details"]["error_code"],
            "enforced_spend_limit_reached");
  EXPECT_EQ(json_of(chat("context"))["error"]["code"], "context_length_exceeded");
  EXPECT_EQ(chat("toolarge").status, 429);
  EXPECT_EQ(chat("401").status, 401);
  EXPECT_EQ(json_of(chat("404"))["error"]["code"], "model_not_found");
}

TEST_F(Faults, AScriptAdvancesWithEachAttemptOfTheSameBody) {
  EXPECT_EQ(chat("500,503,ok").status, 500);
  EXPECT_EQ(chat("500,503,ok").status, 503);
  EXPECT_EQ(chat("500,503,ok").status, 200);
  EXPECT_EQ(chat("500,503,ok").status, 200);
}

TEST_F(Faults, AScriptMayComeInAHeader) {
  RawHttpClient client(simulator_->port());
  EXPECT_EQ(client.post(kChat, chat_body("x"), {{"x-mock-script", "500,ok"}}).status, 500);
  EXPECT_EQ(client.post(kChat, chat_body("x"), {{"x-mock-script", "500,ok"}}).status, 200);
}

TEST_F(Faults, SlowAnswersTakeTheirTime) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(chat("slow=120ms").status, 200);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(120));
}

TEST_F(Faults, TheConnectionServesOnAfterErrorsThatKeepIt) {
  RawHttpClient client(simulator_->port());
  for (const char* script : {"500", "502", "503", "empty", "truncated", "filter", "slow=1ms"}) {
    const RawReply reply = client.post(kChat, chat_body("[[sim:" + std::string(script) + "]]"));
    EXPECT_TRUE(reply.complete) << script;
  }
  EXPECT_EQ(simulator_->stats().requests, 7U);
}

}  // namespace
}  // namespace llmbatch::sim
