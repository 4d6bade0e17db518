#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "llmbatch/policy/token_count.h"

namespace llmbatch {
namespace {

/// Counts bytes and remembers what it was asked for.
class Recorder {
 public:
  TokenCount count(std::string_view text) const {
    texts_.emplace_back(text);
    return static_cast<TokenCount>(text.size());
  }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  mutable std::vector<std::string> texts_;
};

using Texts = std::vector<std::string>;

Texts texts_of(std::string_view body) {
  const Recorder recorder;
  count_request_tokens(body, recorder);
  return recorder.texts();
}

TEST(RequestTokens, ChatCountsContentsAndTheFrameOfEachMessage) {
  const Recorder recorder;
  const TokenCount tokens = count_request_tokens(
      R"({"model":"gpt-4o-mini","messages":[{"role":"system","content":"Be brief."},)"
      R"({"role":"user","content":[{"type":"text","text":"Hi"}]}],"temperature":0,"user":"u-1"})",
      recorder);
  EXPECT_EQ(recorder.texts(), (Texts{"Be brief.", "Hi"}));
  EXPECT_EQ(tokens, 9 + 2 + 2 * kTokensPerMessage + kTokensPerRequest);
}

TEST(RequestTokens, StringsAreDecodedBeforeTheyAreCounted) {
  EXPECT_EQ(texts_of(R"({"messages":[{"content":"a\n\"b\" \\ \u00e4 \ud83d\ude00 \ud83d"}]})"),
            (Texts{"a\n\"b\" \\ \u00e4 \U0001F600 \uFFFD"}));
  EXPECT_EQ(texts_of(R"({"messages":[{"content":"ends in a slash \\"},{"content":"b"}]})"),
            (Texts{"ends in a slash \\", "b"}));
}

TEST(RequestTokens, ResponsesCountInputAndInstructions) {
  EXPECT_EQ(texts_of(R"({"model":"m","instructions":"Sort.","input":"one"})"),
            (Texts{"Sort.", "one"}));
  EXPECT_EQ(texts_of(R"({"input":[{"role":"user","content":[{"type":"input_text","text":"two"},)"
                     R"({"type":"input_image","image_url":"data:image/png;base64,AAAA"}]}]})"),
            (Texts{"two"}));
}

TEST(RequestTokens, EmbeddingsCountTextsAndTokenNumbers) {
  EXPECT_EQ(count_request_tokens(R"({"input":["ab","cde"]})", Recorder{}), 5);
  EXPECT_EQ(count_request_tokens(R"({"input":[[1, 2, 3],[4]]})", Recorder{}), 4);
  EXPECT_EQ(count_request_tokens(R"({"input":[1, 25, 311]})", Recorder{}), 3);
}

TEST(RequestTokens, AnthropicCountsSystemBlocksAndToolsButNoPictures) {
  EXPECT_EQ(
      texts_of(
          R"({"model":"c","max_tokens":9,"system":[{"type":"text","text":"S",)"
          R"("cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[)"
          R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},)"
          R"({"type":"document","source":{"type":"text","media_type":"text/plain","data":"D"}},)"
          R"({"type":"tool_use","id":"t1","name":"f","input":{"k": 1}}]}],)"
          R"("tools":[{"name":"f"}]})"),
      (Texts{"S", "D", "f", R"({"k": 1})", R"([{"name":"f"}])"}));
}

TEST(RequestTokens, GeminiCountsPartsAndTheAnswerSchema) {
  EXPECT_EQ(
      texts_of(R"({"systemInstruction":{"parts":[{"text":"S"}]},"contents":[{"role":"user",)"
               R"("parts":[{"text":"Q"},{"inlineData":{"mimeType":"image/png","data":"AA"}}]}],)"
               R"("generationConfig":{"temperature":1,"responseSchema":{"type":"STRING"}}})"),
      (Texts{"S", "Q", R"({"type":"STRING"})"}));
}

TEST(RequestTokens, AnswerSchemasOfChatAndResponsesCount) {
  EXPECT_EQ(texts_of(R"({"messages":[],"response_format":{"type":"json_schema",)"
                     R"("json_schema":{"name":"n"}}})"),
            (Texts{R"({"name":"n"})"}));
  EXPECT_EQ(texts_of(R"({"text":{"format":{"type":"json_schema","name":"x","schema":{}}}})"),
            (Texts{"{}"}));
}

TEST(RequestTokens, BrokenBodiesCountWhatStandsBeforeTheBreak) {
  EXPECT_EQ(texts_of(R"({"messages":[{"content":"a"},{"content":"b)"), (Texts{"a", "b"}));
  EXPECT_EQ(texts_of(R"({"messages":[{"content":"a"}}}}]]],"tools":[1]})"), (Texts{"a"}));
  for (const char* body :
       {"", "{", "[", "null", "{\"messages\":", "{\"messages\":[", "{\"tools\":"}) {
    EXPECT_EQ(count_request_tokens(body, Recorder{}), 0) << body;
  }
  const std::string deep = R"({"messages":)" + std::string(100000, '[');
  EXPECT_EQ(count_request_tokens(deep, Recorder{}), 0);
}

TEST(RequestTokens, WithoutACounterTheEstimateCounts) {
  EXPECT_EQ(count_request_tokens(R"({"messages":[{"role":"user","content":"Hello there"}]})"),
            count_tokens("Hello there") + kTokensPerMessage + kTokensPerRequest);
}

}  // namespace
}  // namespace llmbatch
