#include "support.h"

namespace llmbatch {
namespace {

using namespace testing;
using Fields = std::vector<RawField>;

struct BuildCase {
  const char* name;
  const char* profile;
  WireFormat format;
  std::string expected;
};

class JobParameters : public ::testing::TestWithParam<BuildCase> {};

// The same job and the same line, in every wire format and dialect.
TEST_P(JobParameters, TakeTheFormOfTheProvider) {
  auto config = config_for(GetParam().profile, GetParam().format);
  config.defaults.system = "Be \"brief\"";
  config.defaults.max_tokens = 64;
  config.defaults.parameters = {{"temperature", "0"}, {"stop", "\"END\""}};
  if (GetParam().format == WireFormat::openai_responses) config.defaults.parameters.pop_back();
  if (GetParam().format == WireFormat::openai_embeddings) config.defaults.parameters.clear();
  const auto provider = provider_of(config);
  EXPECT_EQ(body_of(*provider, prompt_line(R"("Hi\n")")), GetParam().expected);
}

constexpr auto kChat = WireFormat::openai_chat;
const std::string kChatHead =
    R"({"model":"m","messages":[{"role":"system","content":"Be \"brief\""},)"
    R"({"role":"user","content":"Hi\n"}],"temperature":0,"stop":"END",)";

INSTANTIATE_TEST_SUITE_P(
    Providers, JobParameters,
    ::testing::Values(
        BuildCase{"openai", "openai", kChat, kChatHead + R"("max_completion_tokens":64})"},
        BuildCase{"azure", "azure", kChat, kChatHead + R"("max_completion_tokens":64})"},
        BuildCase{"mistral", "mistral", kChat, kChatHead + R"("max_tokens":64})"},
        BuildCase{"ollama", "ollama", kChat, kChatHead + R"("max_tokens":64})"},
        BuildCase{"generic", "", kChat, kChatHead + R"("max_tokens":64})"},
        BuildCase{"responses", "openai", WireFormat::openai_responses,
                  R"({"model":"m","instructions":"Be \"brief\"","input":"Hi\n",)"
                  R"("temperature":0,"max_output_tokens":64})"},
        BuildCase{"embeddings", "openai", WireFormat::openai_embeddings,
                  R"({"model":"m","input":"Hi\n"})"},
        BuildCase{"anthropic", "anthropic", WireFormat::anthropic_messages,
                  R"({"model":"m","system":"Be \"brief\"","messages":[{"role":"user","content":)"
                  R"("Hi\n"}],"temperature":0,"stop_sequences":["END"],"max_tokens":64})"},
        BuildCase{"gemini", "gemini", WireFormat::gemini_generate,
                  R"({"systemInstruction":{"parts":[{"text":"Be \"brief\""}]},"contents":)"
                  R"([{"role":"user","parts":[{"text":"Hi\n"}]}],"generationConfig":)"
                  R"({"temperature":0,"stopSequences":["END"],"maxOutputTokens":64}})"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(BuildRequest, SendsNothingThatNobodyAskedFor) {
  EXPECT_EQ(body_of(*provider_of(config_for("openai")), prompt_line(R"("x")")),
            R"({"model":"m","messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(body_of(*provider_of(config_for("gemini")), prompt_line(R"("x")")),
            R"({"contents":[{"role":"user","parts":[{"text":"x"}]}]})");
}

TEST(BuildRequest, AnthropicGetsTheDemandedLimitAndSaysSo) {
  const auto config = config_for("anthropic");
  EXPECT_EQ(demanded_max_tokens(config.wire_format, config.defaults), 4096);
  const auto provider = provider_of(config);
  Request request;
  ASSERT_TRUE(provider->build_request(prompt_line(R"("x")"), request));
  EXPECT_EQ(request.body,
            R"({"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":4096})");
  EXPECT_EQ(request.output_cap, 4096);
  EXPECT_EQ(request.url, "https://api.anthropic.com/v1/messages");
}

TEST(BuildRequest, TheLineOverridesTheJobAndUnknownFieldsStayHome) {
  auto config = config_for("openai");
  config.defaults.max_tokens = 64;
  config.defaults.parameters = {{"temperature", "0"}, {"top_p", "0.5"}};
  const auto provider = provider_of(config);
  const Fields fields{{"temperature", "1.5"}, {"subject", "\"s\""}, {"model", "\"other\""},
                      {"max_tokens", "8"},    {"top_k", "3"},       {"user", "null"}};
  Request request;
  ASSERT_TRUE(provider->build_request(prompt_line(R"("x")", fields), request));
  EXPECT_EQ(request.body,
            R"({"model":"other","messages":[{"role":"user","content":"x"}],"top_p":0.5,)"
            R"("temperature":1.5,"max_completion_tokens":8})");
  EXPECT_EQ(request.output_cap, 8);
  EXPECT_TRUE(provider->has_own_model(prompt_line(R"("x")", fields)));
  EXPECT_FALSE(provider->has_own_model(prompt_line(R"("x")")));
}

TEST(BuildRequest, TwoNamesOfOneFieldAreSentOnce) {
  const auto provider = provider_of(config_for("ollama"));
  const Fields fields{{"max_tokens", "8"}, {"max_completion_tokens", "9"}};
  EXPECT_EQ(body_of(*provider, prompt_line(R"("x")", fields)),
            R"({"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":9})");
}

TEST(BuildRequest, MistralSeedHasItsOwnName) {
  auto config = config_for("mistral");
  config.defaults.parameters = {{"seed", "7"}};
  EXPECT_EQ(body_of(*provider_of(config), prompt_line(R"("x")")),
            R"({"model":"m","messages":[{"role":"user","content":"x"}],"random_seed":7})");
}

TEST(BuildRequest, RecordsAreDataWhateverTheirFieldsAreCalled) {
  const auto provider = provider_of(config_for("openai"));
  const Fields fields{{"temperature", "1.5"}, {"model", "\"T-800\""}, {"stream", "true"}};
  auto line = prompt_line(R"("x")", fields);
  line.form = LineForm::record;
  EXPECT_EQ(body_of(*provider, line),
            R"({"model":"m","messages":[{"role":"user","content":"x"}]})");
  EXPECT_FALSE(provider->has_own_model(line));
}

TEST(BuildRequest, SystemOfTheLineReplacesTheJobs) {
  auto config = config_for("openai");
  config.defaults.system = "job";
  const auto provider = provider_of(config);
  auto line = prompt_line(R"("x")");
  line.system = R"("line")";
  EXPECT_EQ(body_of(*provider, line),
            R"({"model":"m","messages":[{"role":"system","content":"line"},)"
            R"({"role":"user","content":"x"}]})");
  EXPECT_EQ(body_of(*provider, messages_line(R"([{"role":"user","content":"x"}])")),
            R"({"model":"m","messages":[{"role":"system","content":"job"},)"
            R"({"role":"user","content":"x"}]})");
  const char* own = R"([ {"content":"own","role":"system"},{"role":"user","content":"x"}])";
  EXPECT_EQ(body_of(*provider, messages_line(own)),
            R"({"model":"m","messages":)" + std::string(own) + "}");
}

TEST(BuildRequest, AnthropicHoistsLeadingSystemMessages) {
  auto config = config_for("anthropic");
  config.defaults.system = "job";
  const auto provider = provider_of(config);
  EXPECT_EQ(body_of(*provider,
                    messages_line(
                        R"([{"role":"system","content":"a"},)"
                        R"({"role":"developer","content":"b"},)"
                        R"({"role":"user","content":"x"},{"role":"assistant","content":"y"}])")),
            R"({"model":"m","system":"a\n\nb","messages":[{"role":"user","content":"x"},)"
            R"({"role":"assistant","content":"y"}],"max_tokens":4096})");
  EXPECT_EQ(body_of(*provider, messages_line(R"([{"role":"system","content":"a"}])")),
            "error: messages: no user message");
}

TEST(BuildRequest, AnthropicTranslatesFormatToolsAndChoice) {
  const auto provider = provider_of(config_for("anthropic"));
  const Fields fields{
      {"response_format",
       R"({"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}})"},
      {"reasoning_effort", R"("low")"},
      {"tools",
       R"([{"type":"function","function":{"name":"f","parameters":{"a":1}}},{"name":"g"}])"},
      {"tool_choice", R"("required")"},
      {"thinking", R"({"type":"adaptive"})"},
      {"seed", "1"}};
  EXPECT_EQ(body_of(*provider, prompt_line(R"("x")", fields)),
            R"({"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":4096,)"
            R"("tools":[{"name":"f","input_schema":{"a":1}},{"name":"g"}],)"
            R"("tool_choice":{"type":"any"},"thinking":{"type":"adaptive"},"output_config":)"
            R"({"format":{"type":"json_schema","schema":{"type":"object"}},"effort":"low"}})");
  const Fields object{{"response_format", R"({"type":"json_object"})"}};
  EXPECT_EQ(body_of(*provider, prompt_line(R"("x")", object)).substr(0, 23),
            "error: response_format:");
}

TEST(BuildRequest, GeminiTranslatesMessagesAndMergesItsConfig) {
  auto config = config_for("gemini");
  config.defaults.max_tokens = 9;
  config.defaults.parameters = {{"temperature", "0"}};
  const auto provider = provider_of(config);
  const Fields fields{{"generationConfig", R"({"topK":4,"temperature":1})"},
                      {"response_format", R"({"type":"json_object"})"},
                      {"safetySettings", "[]"},
                      {"model", R"("models/a b")"}};
  const auto line = messages_line(
      R"([{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"q"},)"
      R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},)"
      R"({"role":"assistant","content":"a"},{"role":"user","content":"q2"}])",
      fields);
  Request request;
  ASSERT_TRUE(provider->build_request(line, request));
  EXPECT_EQ(request.body,
            R"({"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":)"
            R"([{"text":"q"},{"inlineData":{"mimeType":"image/png","data":"AA=="}}]},)"
            R"({"role":"model","parts":[{"text":"a"}]},{"role":"user","parts":[{"text":"q2"}]}],)"
            R"("safetySettings":[],"generationConfig":{"topK":4,"temperature":1,)"
            R"("maxOutputTokens":9,"responseMimeType":"application/json"}})");
  EXPECT_EQ(request.url,
            "https://generativelanguage.googleapis.com/v1beta/models/a%20b:generateContent");
  EXPECT_EQ(body_of(*provider, messages_line(R"([{"role":"tool","content":"x"}])")),
            "error: messages: this role cannot be sent to gemini (\"tool\")");
}

TEST(BuildRequest, ResponsesFlattensTheFormat) {
  const auto provider = provider_of(config_for("openai", WireFormat::openai_responses));
  const Fields fields{
      {"response_format", R"({"type":"json_schema","json_schema":{"name":"n","strict":true}})"},
      {"verbosity", R"("low")"},
      {"reasoning_effort", R"("high")"},
      {"max_tokens", "99"}};
  EXPECT_EQ(body_of(*provider, messages_line(R"([{"role":"user","content":"x"}])", fields)),
            R"({"model":"m","input":[{"role":"user","content":"x"}],"reasoning":{"effort":"high"},)"
            R"("max_output_tokens":99,"text":{"format":{"type":"json_schema","name":"n",)"
            R"("strict":true},"verbosity":"low"}})");
}

TEST(BuildRequest, EmbeddingsTakeInputOrPrompt) {
  const auto provider = provider_of(config_for("openai", WireFormat::openai_embeddings));
  const Fields fields{{"input", R"(["a","b"])"}, {"dimensions", "8"}, {"temperature", "1"}};
  EXPECT_EQ(body_of(*provider, prompt_line("", fields)),
            R"({"model":"m","input":["a","b"],"dimensions":8})");
  EXPECT_EQ(url_of(*provider, prompt_line(R"("x")")), "https://api.openai.com/v1/embeddings");
}

TEST(BuildRequest, BatchLinesAreSentAsTheyAre) {
  const auto provider = provider_of(config_for("openai"));
  const char* body = R"( { "model":"a", "messages":[{"content":"}\\"}], "max_tokens" : 5,"n":2 } )";
  Request request;
  ASSERT_TRUE(provider->build_request(batch_line("/v1/chat/completions", body), request));
  EXPECT_EQ(request.body, body);
  EXPECT_EQ(request.output_cap, 5);
  EXPECT_EQ(request.url, "https://api.openai.com/v1/chat/completions");
  EXPECT_TRUE(provider->has_own_model(batch_line("/chat/completions", body)));
  EXPECT_FALSE(provider->has_own_model(batch_line("/chat/completions", R"({"model":"m"})")));
  EXPECT_EQ(body_of(*provider, batch_line("/chat/completions", R"({"n":1})")),
            R"({"model":"m","n":1})");
  EXPECT_EQ(body_of(*provider, batch_line("", "{ }")), R"({"model":"m"})");
}

TEST(BuildRequest, RefusesWhatCannotBeSent) {
  auto config = config_for("openai");
  const auto provider = provider_of(config);
  EXPECT_EQ(body_of(*provider, batch_line("/v1/embeddings", R"({"model":"a"})")),
            "error: url: '/v1/embeddings' is not of wire format " +
                std::string(to_string(WireFormat::openai_chat)) +
                " (expected '/v1/chat/completions')");
  EXPECT_EQ(
      body_of(*provider, batch_line("/v1/chat/completions", R"({"model":"a","stream":true})")),
      "error: body.stream: must be absent or false (value true)");
  EXPECT_EQ(body_of(*provider, batch_line("", R"({"model":"a","str\u0065am":true})")),
            "error: body.stream: must be absent or false (value true)");
  EXPECT_EQ(body_of(*provider, batch_line("", R"({"model":"a","x":)")),
            "error: body: not a JSON object");
  const Fields stream{{"stream", "true"}};
  EXPECT_EQ(body_of(*provider, prompt_line(R"("x")", stream)),
            "error: stream: must be absent or false (value true)");
  const Fields no_stream{{"stream", "false"}};
  EXPECT_EQ(body_of(*provider, prompt_line(R"("x")", no_stream)),
            R"({"model":"m","messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(body_of(*provider, prompt_line("12")), "error: prompt: not a string (value 12)");
  EXPECT_EQ(body_of(*provider, messages_line("{}")), "error: messages: not an array (value {})");
  EXPECT_EQ(body_of(*provider, messages_line("[ ]")), "error: messages: empty");
  const Fields model{{"model", "5"}};
  EXPECT_EQ(body_of(*provider, prompt_line(R"("x")", model)), "error: model: not a name (value 5)");
  const Fields cap{{"max_tokens", "\"5\""}};
  EXPECT_EQ(body_of(*provider, prompt_line(R"("x")", cap)),
            "error: max_tokens: not a positive whole number (\"5\")");
  config.defaults.model.clear();
  const auto without_model = provider_of(config);
  EXPECT_EQ(body_of(*without_model, prompt_line(R"("x")")),
            "error: model: none given, neither here nor for the job");
  EXPECT_EQ(body_of(*without_model, batch_line("", "{}")),
            "error: body.model: none given, neither here nor for the job");
}

TEST(BuildRequest, GeminiBatchLineNamesItsModelInTheUrl) {
  const auto provider = provider_of(config_for("gemini"));
  const auto line = batch_line("/v1beta/models/g-1:generateContent",
                               R"({"contents":[],"generationConfig":{"maxOutputTokens":3}})");
  Request request;
  ASSERT_TRUE(provider->build_request(line, request));
  EXPECT_EQ(request.url,
            "https://generativelanguage.googleapis.com/v1beta/models/g-1:generateContent");
  EXPECT_EQ(request.output_cap, 3);
  EXPECT_TRUE(provider->has_own_model(line));
  EXPECT_EQ(url_of(*provider, batch_line("/v1/models/../x:generateContent", "{}")),
            "https://generativelanguage.googleapis.com/v1beta/models/..%2Fx:generateContent");
}

TEST(BuildRequest, AzureKeepsBothSurfaces) {
  auto config = config_for("azure");
  EXPECT_EQ(url_of(*provider_of(config), prompt_line(R"("x")")),
            "https://res.openai.azure.com/openai/v1/chat/completions");
  config.base_url = "https://r.openai.azure.com/openai/deployments/d/?api-version=2024-10-21";
  config.defaults.model.clear();
  const auto classic = provider_of(config);
  EXPECT_EQ(
      url_of(*classic, prompt_line(R"("x")")),
      "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21");
  EXPECT_EQ(body_of(*classic, prompt_line(R"("x")")),
            R"({"messages":[{"role":"user","content":"x"}]})");
}

TEST(RequestHash, IsStableForEver) {
  // These are stored in databases: a change here makes every item run again.
  Request request;
  const auto openai = provider_of(config_for("openai"));
  ASSERT_TRUE(openai->build_request(prompt_line(R"("x")"), request));
  EXPECT_EQ(to_hex(openai->request_hash(request)), "65748ebb22daade837b1af10a043f03c");
  const auto gemini = provider_of(config_for("gemini"));
  ASSERT_TRUE(gemini->build_request(prompt_line(R"("x")"), request));
  EXPECT_EQ(to_hex(gemini->request_hash(request)), "5f1ae779d3a743b2a2fd8e743680f34b");
  const auto generic = provider_of(config_for(""));
  ASSERT_TRUE(generic->build_request(prompt_line(R"("x")"), request));
  EXPECT_EQ(to_hex(generic->request_hash(request)), "e4375a55f2bdb29e608d743070bc96b0");
}

TEST(RequestHash, TheBaseUrlHasNoPartInIt) {
  const auto hash_with = [](const char* profile, const char* url) {
    auto config = config_for(profile);
    config.base_url = url;
    const auto provider = provider_of(config);
    Request request;
    EXPECT_TRUE(provider->build_request(prompt_line(R"("x")"), request));
    return provider->request_hash(request);
  };
  EXPECT_EQ(hash_with("openai", ""), hash_with("openai", "https://proxy.example/v1"));
  EXPECT_NE(hash_with("openai", ""), hash_with("groq", ""));
  EXPECT_EQ(hash_with("", "https://a.example/v1"), hash_with("", "https://b.example/v1"));
  EXPECT_NE(hash_with("", "https://a.example/v1"), hash_with("openai", ""));
  EXPECT_EQ(hash_with("", "https://a.example/v1"), hash_with("", "https://a.example/v1/"));
}

}  // namespace
}  // namespace llmbatch
