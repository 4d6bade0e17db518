#include <algorithm>

#include "support.h"

namespace llmbatch {
namespace {

using namespace testing;

std::string error_of(ProviderConfig config) {
  auto made = make_provider(std::move(config));
  return made ? "" : made.error().message;
}

TEST(Profiles, HaveTheNamesThatUsersWrite) {
  EXPECT_EQ(profile_names(),
            (std::vector<std::string>{"openai", "anthropic", "gemini", "azure", "mistral", "groq",
                                      "together", "fireworks", "openrouter", "deepseek", "xai",
                                      "vllm", "ollama", "lmstudio"}));
  EXPECT_EQ(find_profile("nobody"), nullptr);
  EXPECT_EQ(find_profile(""), nullptr);
}

TEST(Profiles, EveryOneMakesAProvider) {
  for (const auto& profile : all_profiles()) {
    const auto provider = provider_of(config_for(std::string(profile.name)));
    ASSERT_NE(provider, nullptr);
    EXPECT_EQ(body_of(*provider, prompt_line(R"("x")")).front(), '{') << profile.name;
  }
}

TEST(Profiles, GoogleKeyWinsOverGeminiKey) {
  EXPECT_EQ(find_profile("gemini")->key_variables[0], "GOOGLE_API_KEY");
  EXPECT_EQ(find_profile("gemini")->key_variables[1], "GEMINI_API_KEY");
}

TEST(RequestHeaders, CarryTheKeyInTheProvidersOwnWay) {
  const auto has = [](const ProviderConfig& config, const std::string& wanted) {
    const auto headers = provider_of(config)->request_headers();
    return std::find(headers.begin(), headers.end(), wanted) != headers.end();
  };
  const std::string key = kKey;
  EXPECT_TRUE(has(config_for("openai"), "Authorization: Bearer " + key));
  EXPECT_TRUE(has(config_for("azure"), "api-key: " + key));
  EXPECT_TRUE(has(config_for("gemini"), "x-goog-api-key: " + key));
  EXPECT_TRUE(has(config_for("gemini", WireFormat::openai_chat), "Authorization: Bearer " + key));
  EXPECT_TRUE(has(config_for("anthropic"), "x-api-key: " + key));
  EXPECT_TRUE(has(config_for("anthropic"), "anthropic-version: 2023-06-01"));
  auto newer = config_for("anthropic");
  newer.anthropic_version = "2026-10-21";
  newer.extra_headers = {"anthropic-beta: b"};
  EXPECT_TRUE(has(newer, "anthropic-version: 2026-10-21"));
  EXPECT_TRUE(has(newer, "Authorization: Bearer " + key));
  EXPECT_TRUE(has(newer, "anthropic-beta: b"));
  auto open = config_for("ollama");
  open.key.clear();
  for (const auto& header : provider_of(open)->request_headers()) {
    EXPECT_FALSE(header.starts_with("Authorization")) << header;
  }
}

TEST(MakeProvider, RefusesKeysThatAreMissingBrokenOrExposed) {
  auto config = config_for("gemini");
  config.key.clear();
  EXPECT_EQ(error_of(config),
            "provider gemini: no API key (set GOOGLE_API_KEY or GEMINI_API_KEY or use "
            "--api-key-file)");
  config = config_for("openai");
  config.key = "abc\r\nx: y";
  EXPECT_EQ(error_of(config), "API key: contains white space, control or non-ASCII characters");
  config = config_for("openai");
  config.base_url = "http://example.com/v1";
  EXPECT_EQ(error_of(config),
            "base url 'http://example.com/v1': an API key is not sent over plain http, except to "
            "this machine");
  for (const char* url : {"http://127.0.0.1:8/v1", "http://localhost/v1", "http://[::1]:9/v1"}) {
    config.base_url = url;
    EXPECT_EQ(error_of(config), "") << url;
  }
  for (const char* url : {"http://127.0.0.1.evil.com/v1", "http://localhost.evil.com/v1"}) {
    config.base_url = url;
    EXPECT_NE(error_of(config), "") << url;
  }
}

TEST(MakeProvider, RefusesUnusableBaseUrls) {
  auto config = config_for("openai");
  config.base_url = "ftp://x";
  EXPECT_EQ(error_of(config), "base url 'ftp://x': must begin with http:// or https://");
  config.base_url = "https://user:pw@host/v1";
  EXPECT_EQ(error_of(config), "base url: must not contain a user name or a password");
  config.base_url = "https:///v1";
  EXPECT_EQ(error_of(config), "base url 'https:///v1': names no host");
  config = config_for("azure");
  config.base_url.clear();
  EXPECT_EQ(error_of(config), "provider azure: needs --base-url or AZURE_OPENAI_ENDPOINT");
}

TEST(MakeProvider, RefusesParametersThatCannotBeSent) {
  auto config = config_for("openai");
  config.defaults.parameters = {{"stream", "true"}};
  EXPECT_EQ(error_of(config), "stream: cannot be set as a parameter (value true)");
  config = config_for("anthropic");
  config.defaults.parameters = {{"seed", "1"}};
  EXPECT_EQ(error_of(config), "seed: not a request field of wire format " +
                                  std::string(to_string(WireFormat::anthropic_messages)));
}

TEST(MakeProvider, SendsUnknownJobParametersAsTheUserInsists) {
  auto config = config_for("openai");
  config.defaults.parameters = {{"first_new", "{\"a\":1}"}, {"n", "1"}, {"first_new", "2"}};
  EXPECT_EQ(body_of(*provider_of(config), prompt_line(R"("x")")),
            R"({"model":"m","messages":[{"role":"user","content":"x"}],"n":1,"first_new":2})");
}

}  // namespace
}  // namespace llmbatch
