// Marks for Anthropic's prompt cache.
#include "support.h"

namespace llmbatch {
namespace {

using namespace testing;

ProviderConfig marking() {
  auto config = config_for("anthropic");
  config.defaults.max_tokens = 9;
  config.defaults.mark_prompt_cache = true;
  return config;
}

LineFields record(std::string_view prompt, std::string_view system = {}) {
  LineFields line;
  line.form = LineForm::record;
  line.prompt = prompt;
  line.system = system;
  return line;
}

constexpr const char* kMark = R"("cache_control":{"type":"ephemeral"})";

TEST(PromptCache, TheJobsSystemMessageIsMarked) {
  auto config = marking();
  config.defaults.system = "Be brief";
  EXPECT_EQ(body_of(*provider_of(config), prompt_line(R"("x")")),
            R"({"model":"m","system":[{"type":"text","text":"Be brief",)" + std::string(kMark) +
                R"(}],"messages":[{"role":"user","content":"x"}],"max_tokens":9})");
}

TEST(PromptCache, OneMarkAtTheEndOfTheCommonBeginningStandsForAll) {
  auto config = marking();
  config.defaults.shared_prompt = R"(Classify \"this\":\n)";
  EXPECT_EQ(body_of(*provider_of(config), record(R"("Classify \"this\":\nhello")", R"("S")")),
            R"({"model":"m","system":"S","messages":[{"role":"user","content":[{"type":"text",)"
            R"("text":"Classify \"this\":\n",)" +
                std::string(kMark) + R"(},{"type":"text","text":"hello"}]}],"max_tokens":9})");
}

TEST(PromptCache, ABlockOfWhiteSpaceAloneIsNotMade) {
  auto config = marking();
  config.defaults.shared_prompt = "Classify: ";
  config.defaults.system = "S";
  const auto provider = provider_of(config);
  for (const char* prompt : {R"("Classify: ")", R"("Classify:  \n\t")"}) {
    const std::string body = body_of(*provider, record(prompt, R"("S")"));
    EXPECT_NE(body.find(std::string(R"("content":)") + prompt), std::string::npos) << body;
    EXPECT_NE(body.find(R"("text":"S",)" + std::string(kMark)), std::string::npos) << body;
  }
}

TEST(PromptCache, ASystemMessageThatDiffersIsNotMarked) {
  auto config = marking();
  config.defaults.shared_system = false;
  const std::string body = body_of(*provider_of(config), record(R"("x")", R"("for Ann")"));
  EXPECT_EQ(body.find("cache_control"), std::string::npos) << body;
}

TEST(PromptCache, MarksMakeAnotherRequest) {
  auto plain = marking();
  plain.defaults.mark_prompt_cache = false;
  plain.defaults.system = "S";
  auto marked = plain;
  marked.defaults.mark_prompt_cache = true;
  Request first;
  Request second;
  const auto one = provider_of(plain);
  const auto other = provider_of(marked);
  ASSERT_TRUE(one->build_request(prompt_line(R"("x")"), first));
  ASSERT_TRUE(other->build_request(prompt_line(R"("x")"), second));
  EXPECT_NE(one->request_hash(first), other->request_hash(second));
}

}  // namespace
}  // namespace llmbatch
