// Structured answers: what each provider is asked for, and the second question after a bad answer.
#include "support.h"

namespace llmbatch {
namespace {

using namespace testing;

constexpr char kStrict[] =
    R"({"$schema":"x","type":"object","properties":{"label":{"type":"string","enum":["a","b"]}},)"
    R"("required":["label"],"additionalProperties":false})";
constexpr char kStrictSent[] =
    R"({"type":"object","properties":{"label":{"type":"string","enum":["a","b"]}},)"
    R"("required":["label"],"additionalProperties":false})";
constexpr char kLoose[] =
    R"({"type":"object","properties":{"n":{"type":"integer","minimum":1,"description":"How many"},)"
    R"("s":{"type":"string","maxLength":9,"format":"color","const":"x"}}})";

ProviderConfig asking(const std::string& profile, WireFormat format, AnswerShape shape,
                      const std::string& schema) {
  auto config = config_for(profile, format);
  config.defaults.answer_format = {shape, schema};
  return config;
}

/// What follows the content of the body.
std::string asked_by(const ProviderConfig& config, std::string_view prompt = R"("Hi")") {
  const std::string with = body_of(*provider_of(config), prompt_line(prompt));
  auto plain = config;
  plain.defaults.answer_format = {};
  const std::string without = body_of(*provider_of(plain), prompt_line(prompt));
  const std::string head = without.substr(0, without.size() - 1);
  return with.starts_with(head) ? with.substr(head.size()) : with;
}

constexpr auto kChat = WireFormat::openai_chat;
constexpr auto kResponses = WireFormat::openai_responses;
constexpr auto kAnthropic = WireFormat::anthropic_messages;
constexpr auto kGemini = WireFormat::gemini_generate;

TEST(AnswerFormat, AStrictSchemaIsSentAsSuchByOpenAi) {
  const std::string schema = kStrictSent;
  EXPECT_EQ(
      asked_by(asking("openai", kChat, AnswerShape::schema, kStrict)),
      R"(,"response_format":{"type":"json_schema","json_schema":{"name":"answer","strict":true,"schema":)" +
          schema + "}}}");
  EXPECT_EQ(asked_by(asking("openai", kResponses, AnswerShape::schema, kStrict)),
            R"(,"text":{"format":{"type":"json_schema","name":"answer","strict":true,"schema":)" +
                schema + "}}}");
}

TEST(AnswerFormat, OtherSchemasAreSentWholeAsAHint) {
  const auto config = asking("openai", kChat, AnswerShape::schema, kLoose);
  EXPECT_EQ(
      asked_by(config),
      R"(,"response_format":{"type":"json_schema","json_schema":{"name":"answer","strict":false,"schema":)" +
          std::string(kLoose) + "}}}");
  EXPECT_EQ(answer_format_notes(config),
            (std::vector<std::string>{"schema: sent as a hint (strict is false), because of /: "
                                      "additionalProperties is not false"}));
  EXPECT_TRUE(answer_format_notes(asking("openai", kChat, AnswerShape::schema, kStrict)).empty());
}

TEST(AnswerFormat, EveryStrictRuleIsKept) {
  const auto strict = [](const std::string& schema) {
    const auto body = asked_by(asking("openai", kChat, AnswerShape::schema, schema));
    return body.find(R"("strict":true)") != std::string::npos;
  };
  const auto object = [](const std::string& properties, const std::string& required) {
    return R"({"type":"object","additionalProperties":false,"properties":{)" + properties +
           R"(},"required":[)" + required + "]}";
  };
  EXPECT_TRUE(strict(object(R"("a":{"type":["integer","null"],"minimum":1})", R"("a")")));
  EXPECT_FALSE(strict(object(R"("a":{"type":"integer"})", "")));
  EXPECT_FALSE(strict(object(R"("a":{"type":"string","minLength":1})", R"("a")")));
  EXPECT_FALSE(strict(object(R"("a":{"type":"string","format":"uri"})", R"("a")")));
  EXPECT_FALSE(strict(object(R"("a":{"allOf":[{"type":"string"}]})", R"("a")")));
  EXPECT_FALSE(strict(object(R"("a":{"type":"object","properties":{}})", R"("a")")));
  EXPECT_TRUE(strict(object(R"("a":{"anyOf":[{"type":"string"},{"$ref":"#"}]})", R"("a")")));
  EXPECT_FALSE(strict(R"({"anyOf":[{"type":"object"}]})"));
  std::string values;
  for (int i = 0; i < 1001; ++i) values += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\"";
  EXPECT_FALSE(strict(object(R"("a":{"enum":[)" + values + "]}", R"("a")")));
}

TEST(AnswerFormat, RootsThatAreNoObjectAreNotSentToOpenAi) {
  const std::string list = R"({"type":"array","items":{"type":"string"}})";
  const auto config = asking("openai", kChat, AnswerShape::schema, list);
  EXPECT_EQ(asked_by(config), "}");
  EXPECT_EQ(answer_format_notes(config).size(), 1U);
  EXPECT_NE(asked_by(asking("vllm", kChat, AnswerShape::schema, list)), "}");
}

TEST(AnswerFormat, AnthropicGetsTheSubsetAndTheRestAsWords) {
  EXPECT_EQ(asked_by(asking("anthropic", kAnthropic, AnswerShape::schema, kLoose)),
            R"~(,"output_config":{"format":{"type":"json_schema","schema":{"type":"object",)~"
            R"~("properties":{"n":{"type":"integer","description":"How many (minimum: 1)"},)~"
            R"~("s":{"type":"string","const":"x",)~"
            R"~("description":"(maxLength: 9) (format: \"color\")"}},)~"
            R"~("additionalProperties":false}}}})~");
}

TEST(AnswerFormat, WhatAnthropicCannotSayIsOnlyChecked) {
  for (
      const char* schema :
      {R"({"type":"object","properties":{"next":{"$ref":"#"}}})",
       R"({"type":"object","properties":{"n":{"$ref":"#/$defs/n"}},"$defs":{"n":{"properties":{"m":{"$ref":"#/$defs/n"}}}}})",
       R"({"type":"object","additionalProperties":{"type":"string"}})"}) {
    const auto config = asking("anthropic", kAnthropic, AnswerShape::schema, schema);
    EXPECT_EQ(asked_by(config), "}") << schema;
    EXPECT_EQ(answer_format_notes(config).size(), 1U) << schema;
  }
  // Two uses of one definition are no recursion.
  EXPECT_NE(
      asked_by(asking(
          "anthropic", kAnthropic, AnswerShape::schema,
          R"({"properties":{"a":{"$ref":"#/$defs/t"},"b":{"$ref":"#/$defs/t"}},"$defs":{"t":{"type":"string"}}})")),
      "}");
}

TEST(AnswerFormat, GeminiGetsAMimeTypeAndItsSubset) {
  EXPECT_EQ(asked_by(asking("gemini", kGemini, AnswerShape::schema, kLoose)),
            R"~(,"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{)~"
            R"~("type":"object","properties":{"n":{"type":"integer","minimum":1,)~"
            R"~("description":"How many"},"s":{"type":"string","format":"color","enum":["x"],)~"
            R"~("description":"(maxLength: 9)"}}}}})~");
  EXPECT_EQ(asked_by(asking("gemini", kGemini, AnswerShape::json, "")),
            R"~(,"generationConfig":{"responseMimeType":"application/json"}})~");
}

TEST(AnswerFormat, JsonIsAskedForOnlyWhereTheMessagesSayTheWord) {
  const std::string asked = R"(,"response_format":{"type":"json_object"}})";
  for (const char* profile : {"openai", "deepseek", "mistral", "groq", "ollama", ""}) {
    const auto config = asking(profile, kChat, AnswerShape::json, "");
    EXPECT_EQ(asked_by(config, R"("Answer in Json")"), asked) << profile;
    EXPECT_EQ(asked_by(config), "}") << profile;
  }
  EXPECT_EQ(asked_by(asking("lmstudio", kChat, AnswerShape::json, ""), R"("JSON")"), "}");
  EXPECT_EQ(asked_by(asking("anthropic", kAnthropic, AnswerShape::json, ""), R"("JSON")"), "}");
  // Instructions do not count.
  auto config = asking("openai", kResponses, AnswerShape::json, "");
  config.defaults.system = "Answer in JSON";
  EXPECT_EQ(asked_by(config), "}");
  EXPECT_EQ(asked_by(config, R"("as JSON")"), R"(,"text":{"format":{"type":"json_object"}}})");
}

TEST(AnswerFormat, DeepSeekIsAskedForJsonInsteadOfASchema) {
  const auto config = asking("deepseek", kChat, AnswerShape::schema, kStrict);
  EXPECT_EQ(asked_by(config, R"("JSON please")"), R"(,"response_format":{"type":"json_object"}})");
  EXPECT_EQ(asked_by(config), "}");
  EXPECT_EQ(answer_format_notes(config).size(), 1U);
  EXPECT_NE(asked_by(asking("lmstudio", kChat, AnswerShape::schema, kStrict)), "}");
}

TEST(AnswerFormat, TheLinesOwnFormatWins) {
  const auto provider = provider_of(asking("openai", kChat, AnswerShape::schema, kStrict));
  const std::vector<RawField> own{{"response_format", R"({"type":"text"})"}};
  EXPECT_EQ(
      body_of(*provider, prompt_line(R"("Hi")", own)),
      R"({"model":"m","messages":[{"role":"user","content":"Hi"}],"response_format":{"type":"text"}})");
  const std::string body = R"({"model":"m","messages":[]})";
  EXPECT_EQ(body_of(*provider, batch_line("/v1/chat/completions", body)), body);
}

// The second question.

std::string reask(const std::string& profile, WireFormat format, const std::string& body,
                  const std::string& answer = "No\n") {
  const auto provider = provider_of(config_for(profile, format));
  Request first;
  first.url = "u";
  first.body = body;
  first.output_cap = 7;
  Completion completion;
  completion.output = answer;
  Request second;
  if (!provider->build_reask(first, completion, "expected \"a\"", second)) return "cannot";
  EXPECT_EQ(second.url, "u");
  EXPECT_EQ(second.output_cap, 7);
  return second.body;
}

const std::string kQuestion =
    R"(This answer fails its check: expected \"a\"\nAnswer the request above once more, so that it passes. )"
    R"(Give the corrected answer and nothing else.)";
const std::string kTurns =
    R"({"role":"assistant","content":"No\n"},{"role":"user","content":")" + kQuestion + R"("})";

TEST(Reask, AppendsTheAnswerAndTheReasonInEveryWireFormat) {
  for (const char* profile : {"openai", "anthropic"}) {
    EXPECT_EQ(reask(profile, find_profile(profile)->wire_format,
                    R"({"messages":[{"role":"user","content":"]}"} ],"seed":1})"),
              R"({"messages":[{"role":"user","content":"]}"} ,)" + kTurns + R"(],"seed":1})");
  }
  EXPECT_EQ(reask("openai", kResponses, R"({"input":"Hi","store":false})"),
            R"({"input":[{"role":"user","content":"Hi"},)" + kTurns + R"(],"store":false})");
  EXPECT_EQ(reask("openai", kResponses, R"({"input":[{"role":"user","content":"Hi"}]})"),
            R"({"input":[{"role":"user","content":"Hi"},)" + kTurns + "]}");
  EXPECT_EQ(reask("gemini", kGemini, R"({"contents":[{"parts":[]}]})"),
            R"({"contents":[{"parts":[]},{"role":"model","parts":[{"text":"No\n"}]},)"
            R"({"role":"user","parts":[{"text":")" +
                kQuestion + R"("}]}]})");
}

TEST(Reask, IsNotPossibleWithoutTurns) {
  EXPECT_EQ(reask("openai", WireFormat::openai_embeddings, R"({"input":["a"]})"), "cannot");
  EXPECT_EQ(reask("openai", kChat, R"({"prompt":"x"})"), "cannot");
  EXPECT_EQ(reask("openai", kChat, R"({"messages":[]})"), "cannot");
  EXPECT_EQ(reask("openai", kChat, R"({"messages":"x"})"), "cannot");
  EXPECT_EQ(reask("openai", kChat, R"({"messages":[{"role":"user")"), "cannot");
  EXPECT_EQ(reask("openai", kChat, R"({"messages":[{}]})", ""), "cannot");
}

}  // namespace
}  // namespace llmbatch
