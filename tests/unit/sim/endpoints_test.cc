#include "sim_fixture.h"

namespace llmbatch::sim {
namespace {

using nlohmann::json;
using test::RawHttpClient;
using test::RawReply;

TEST(Endpoints, ChatCompletionHasTheShapeOfTheApi) {
  SimulatorSettings settings;
  settings.answer = *parse_answer_mode("echo");
  const auto simulator = start_simulator(settings);
  const RawReply reply = post_chat(*simulator, "say \"hi\" to Zoë");
  EXPECT_EQ(reply.status, 200);
  EXPECT_FALSE(reply.header("x-request-id").empty());
  const json body = json_of(reply);
  EXPECT_EQ(body["object"], "chat.completion");
  EXPECT_EQ(body["model"], "sim-model");
  EXPECT_EQ(body["choices"][0]["message"]["content"], "say \"hi\" to Zoë");
  EXPECT_EQ(body["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(body["usage"]["prompt_tokens"], 4);
  EXPECT_EQ(body["usage"]["total_tokens"], 8);
}

TEST(Endpoints, ResponsesHasTheShapeOfTheApi) {
  const auto simulator = start_simulator();
  RawHttpClient client(simulator->port());
  const json body = json_of(client.post("/v1/responses", R"({"model":"m","input":"hello"})"));
  EXPECT_EQ(body["status"], "completed");
  EXPECT_EQ(body["output"][1]["content"][0]["type"], "output_text");
  EXPECT_EQ(body["usage"]["input_tokens"], 2);
}

TEST(Endpoints, EmbeddingsComeForEveryInput) {
  const auto simulator = start_simulator();
  RawHttpClient client(simulator->port());
  const json body = json_of(
      client.post("/v1/embeddings", R"({"model":"m","input":["one","two"],"dimensions":3})"));
  ASSERT_EQ(body["data"].size(), 2U);
  EXPECT_EQ(body["data"][1]["index"], 1);
  EXPECT_EQ(body["data"][0]["embedding"].size(), 3U);
  EXPECT_NE(body["data"][0]["embedding"], body["data"][1]["embedding"]);
  const json encoded = json_of(client.post(
      "/v1/embeddings", R"({"model":"m","input":"x","dimensions":4,"encoding_format":"base64"})"));
  EXPECT_EQ(encoded["data"][0]["embedding"].get<std::string>().size(), 24U);
}

TEST(Endpoints, AnthropicMessagesHasTheShapeOfTheApi) {
  const auto simulator = start_simulator();
  const RawReply reply = post_messages(*simulator, "hello");
  EXPECT_EQ(reply.status, 200);
  EXPECT_FALSE(reply.header("request-id").empty());
  const json body = json_of(reply);
  EXPECT_EQ(body["type"], "message");
  EXPECT_EQ(body["content"][0]["type"], "text");
  EXPECT_EQ(body["stop_reason"], "end_turn");
  EXPECT_EQ(body["usage"]["input_tokens"], 2);
}

TEST(Endpoints, GeminiHasTheShapeOfTheApi) {
  const auto simulator = start_simulator();
  RawHttpClient client(simulator->port());
  const json body = json_of(client.post(kGemini, gemini_body("hello")));
  EXPECT_EQ(body["candidates"][0]["finishReason"], "STOP");
  EXPECT_TRUE(body["candidates"][0]["content"]["parts"][0]["text"].is_string());
  EXPECT_EQ(body["usageMetadata"]["promptTokenCount"], 2);
  EXPECT_EQ(body["modelVersion"], "gemini-sim");
}

TEST(Endpoints, PrefixedPathsAreServed) {
  const auto simulator = start_simulator();
  RawHttpClient client(simulator->port());
  EXPECT_EQ(client.post("/openai/v1/chat/completions", chat_body("x")).status, 200);
  EXPECT_EQ(client
                .post("/openai/deployments/mine/chat/completions?api-version=2024-10-21",
                      R"({"messages":[{"role":"user","content":"x"}]})")
                .status,
            200);
  EXPECT_EQ(client.get("/v1/models").status, 200);
}

TEST(Endpoints, AnthropicChecksItsVersionsAndFields) {
  const auto simulator = start_simulator();
  RawHttpClient client(simulator->port());
  EXPECT_EQ(client.post(kMessages, messages_body("x")).status, 400);
  EXPECT_EQ(
      client.post(kMessages, messages_body("x"), {{"anthropic-version", "2026-10-21"}}).status,
      200);
  json body = json::parse(messages_body("x"));
  body["temperature"] = 0.5;
  EXPECT_EQ(client.post(kMessages, body.dump(), {{"anthropic-version", "2023-06-01"}}).status, 200);
  const RawReply refused =
      client.post(kMessages, body.dump(), {{"anthropic-version", "2026-10-21"}});
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(json_of(refused)["error"]["message"], "temperature: Extra inputs are not permitted");
  body.erase("max_tokens");
  const RawReply missing =
      client.post(kMessages, body.dump(), {{"anthropic-version", "2023-06-01"}});
  EXPECT_EQ(missing.status, 400);
  EXPECT_EQ(json_of(missing)["error"]["message"], "max_tokens: Field required");
}

TEST(Endpoints, BadBodiesAreRefusedInTheEnvelopeOfTheApi) {
  const auto simulator = start_simulator();
  RawHttpClient client(simulator->port());
  for (const char* body : {"not json", "[]", "{}", R"({"model":"m"})",
                           R"({"model":1,"messages":[]})", R"({"model":"m","messages":[]})",
                           R"({"model":"m","messages":[1]})", R"({"model":"m","messages":"hi"})",
                           R"({"model":"m","stream":true,"messages":[{"role":"user"}]})"}) {
    const RawReply reply = client.post(kChat, body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_EQ(json_of(reply)["error"]["type"], "invalid_request_error") << body;
  }
  const RawReply gemini = client.post(kGemini, "{}");
  EXPECT_EQ(gemini.status, 400);
  EXPECT_EQ(json_of(gemini)["error"]["status"], "INVALID_ARGUMENT");
  const RawReply mistral = client.post("/mistral/v1/chat/completions",
                                       R"({"model":"m","max_completion_tokens":5,"messages":[]})");
  EXPECT_EQ(mistral.status, 422);
  EXPECT_EQ(json_of(mistral)["detail"][0]["loc"][1], "max_completion_tokens");
}

TEST(Endpoints, UnknownPathsAndModelsAre404) {
  SimulatorSettings settings;
  settings.unknown_models = {"gone"};
  const auto simulator = start_simulator(settings);
  RawHttpClient client(simulator->port());
  EXPECT_EQ(client.post("/v1/nothing", "{}").status, 404);
  const RawReply reply =
      client.post(kChat, R"({"model":"gone","messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(json_of(reply)["error"]["code"], "model_not_found");
}

TEST(Endpoints, ARequiredKeyIsAskedForInEveryForm) {
  SimulatorSettings settings;
  settings.required_key = "sk-right";
  const auto simulator = start_simulator(settings);
  RawHttpClient client(simulator->port());
  EXPECT_EQ(json_of(client.post(kChat, chat_body("x")))["error"]["code"], "invalid_api_key");
  EXPECT_EQ(client.post(kChat, chat_body("x"), {{"Authorization", "Bearer sk-wrong"}}).status, 401);
  EXPECT_EQ(client.post(kChat, chat_body("x"), {{"Authorization", "Bearer sk-right"}}).status, 200);
  EXPECT_EQ(client.post(kChat, chat_body("x"), {{"api-key", "sk-right"}}).status, 200);
  EXPECT_EQ(client.post(kGemini, gemini_body("x"), {{"x-goog-api-key", "sk-right"}}).status, 200);
  EXPECT_EQ(client.post(std::string(kGemini) + "?key=sk-right", gemini_body("x")).status, 200);
  // Gemini says 400 where others say 401.
  EXPECT_EQ(client.post(kGemini, gemini_body("x")).status, 400);
}

TEST(Endpoints, AnAnswerOverItsCapIsCut) {
  SimulatorSettings settings;
  settings.answer = *parse_answer_mode("words:100");
  const auto simulator = start_simulator(settings);
  RawHttpClient client(simulator->port());
  json request = json::parse(chat_body("x"));
  request["max_completion_tokens"] = 5;
  const json body = json_of(client.post(kChat, request.dump()));
  EXPECT_EQ(body["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(body["usage"]["completion_tokens"], 5);
}

TEST(Endpoints, JsonAnswersWhereJsonWasAskedFor) {
  SimulatorSettings settings;
  settings.answer = *parse_answer_mode("classify");
  const auto simulator = start_simulator(settings);
  RawHttpClient client(simulator->port());
  json request = json::parse(chat_body("please refund the invoice"));
  request["response_format"] = {{"type", "json_object"}};
  const json body = json_of(client.post(kChat, request.dump()));
  const std::string content = body["choices"][0]["message"]["content"];
  EXPECT_EQ(json::parse(content), (json{{"label", "billing"}}));
}

TEST(Endpoints, StructuredOutputFitsItsSchema) {
  const auto simulator = start_simulator();
  RawHttpClient client(simulator->port());
  const json schema = json::parse(R"({"type":"object","properties":{
      "label":{"enum":["billing","shipping"]},"score":{"type":"integer","minimum":3,"maximum":5},
      "tags":{"type":"array","items":{"$ref":"#/$defs/tag"}},"sure":{"type":"boolean"},
      "again":{"anyOf":[{"type":"null"},{"$ref":"#"}]}},
      "$defs":{"tag":{"type":"string","maxLength":4}}})");
  json request = json::parse(chat_body("where is my parcel?"));
  request["response_format"] = {{"type", "json_schema"},
                                {"json_schema", {{"name", "x"}, {"schema", schema}}}};
  const json reply = json_of(client.post(kChat, request.dump()));
  const json answer =
      json::parse(reply["choices"][0]["message"]["content"].get<std::string>(), nullptr, false);
  EXPECT_EQ(answer["label"], "shipping");
  EXPECT_GE(answer["score"], 3);
  EXPECT_LE(answer["score"], 5);
  EXPECT_EQ(answer["tags"][0].get<std::string>().size(), 4U);
  EXPECT_TRUE(answer["sure"].is_boolean());
  EXPECT_TRUE(answer["again"].is_null());
}

TEST(Endpoints, StatsCountWhatWasDone) {
  const auto simulator = start_simulator();
  RawHttpClient client(simulator->port());
  client.post(kChat, chat_body("[[sim:500,ok]]"));
  client.post(kChat, chat_body("[[sim:500,ok]]"));
  client.post(kChat, chat_body("other"));
  client.post(kChat, "broken");
  const json stats = json_of(client.get("/stats"));
  EXPECT_EQ(stats["requests"], 4);
  EXPECT_EQ(stats["outcomes"], (json{{"400", 1}, {"500", 1}, {"ok", 2}}));
  EXPECT_EQ(stats["answered_bodies"], 2);
  EXPECT_EQ(stats["answered_again"], 0);
  EXPECT_EQ(stats["max_attempts"], 2);
}

}  // namespace
}  // namespace llmbatch::sim
