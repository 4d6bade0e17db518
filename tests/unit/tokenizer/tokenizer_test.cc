#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "../../../src/tokenizer/tokenizer_files.h"
#include "llmbatch/tokenizer/make_token_counter.h"

namespace llmbatch {
namespace {

using ::testing::HasSubstr;

std::string path_of(const std::string& name) {
  return std::string(LLMBATCH_TEST_DATA) + "/tokenizer/" + name;
}

std::string content_of(const std::string& name) {
  std::ifstream file(path_of(name));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Result<std::unique_ptr<Tokenizer>> read(const std::string& name) {
  const std::string content = content_of(name);
  if (name.ends_with(".json")) return read_tokenizer_json(content);
  return read_tiktoken(content, pattern_for(name).pattern);
}

/// Texts with the tokens that tiktoken and Hugging Face's tokenizers make of them with these files.
TEST(Tokenizer, EncodesAsTheReferencesDo) {
  const auto vectors = nlohmann::json::parse(content_of("vectors.json"));
  ASSERT_EQ(vectors.size(), 6U);
  for (const auto& [name, cases] : vectors.items()) {
    const auto tokenizer = read(name);
    ASSERT_TRUE(tokenizer.has_value()) << name << ": " << tokenizer.error().message;
    for (const auto& one : cases) {
      const std::string text = one[0];
      const std::vector<TokenId> expected = one[1];
      EXPECT_EQ((*tokenizer)->encode(text), expected) << name << ": " << text;
      EXPECT_EQ((*tokenizer)->count(text), static_cast<TokenCount>(expected.size()));
    }
  }
}

TEST(Tokenizer, IllFormedTextCountsAsWhatADecoderMakesOfIt) {
  const auto tokenizer = read("small_o200k_base.tiktoken");
  ASSERT_TRUE(tokenizer.has_value());
  EXPECT_EQ((*tokenizer)->encode("a\xFF\xE2\x82 b"), (*tokenizer)->encode("a\uFFFD\uFFFD b"));
}

TEST(Tokenizer, LongRunsWithoutSpacesTakeNoQuadraticTime) {
  const auto tokenizer = read("small_o200k_base.tiktoken");
  ASSERT_TRUE(tokenizer.has_value());
  std::string run;
  while (run.size() < 200'000) run += "thandeinreston";
  // Quadratic merging would take minutes.
  EXPECT_GT((*tokenizer)->count(run), 20'000);
  EXPECT_EQ((*tokenizer)->count(std::string(100'000, ' ')),
            (*tokenizer)->count(std::string(100'000, ' ')));
}

TEST(TiktokenFile, ErrorsNameTheLine) {
  const auto message = [](std::string_view content) {
    const auto read = read_tiktoken(content, pattern_for("").pattern);
    return read ? std::string() : read.error().message;
  };
  EXPECT_EQ(message("YQ== 0\nYg== x\n"), "line 2: not a token in base64 and its rank");
  EXPECT_EQ(message("Y! 0\n"), "line 1: not a token in base64 and its rank");
  EXPECT_EQ(message("YQ== 0\nYQ== 1\n"), "line 2: this token stands twice");
  EXPECT_EQ(message("\n"), "no tokens in it");
}

TEST(TiktokenFile, ThePatternGoesByTheName) {
  EXPECT_EQ(pattern_for("cl100k_base.tiktoken").name, "cl100k_base");
  EXPECT_EQ(pattern_for("o200k_base.tiktoken").name, "o200k_base");
  EXPECT_EQ(pattern_for("my-r50k.tiktoken").name, "r50k_base");
  EXPECT_EQ(pattern_for("qwen.tiktoken").name, "o200k_base");
}

TEST(TokenizerJson, KindsThatCannotBeDoneAreNamed) {
  const auto message = [](const std::string& content) {
    const auto read = read_tokenizer_json(content);
    return read ? std::string() : read.error().message;
  };
  const std::string byte_level =
      R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},)";
  EXPECT_EQ(message(R"({"model":{"type":"Unigram"}})"),
            "model: Unigram is not supported, only byte-level BPE is");
  EXPECT_EQ(message(R"({"model":{"type":"WordPiece"}})"),
            "model: WordPiece is not supported, only byte-level BPE is");
  EXPECT_EQ(message(R"({"model":{"type":"BPE","byte_fallback":true}})"),
            "model: BPE with byte_fallback (SentencePiece) is not supported");
  EXPECT_EQ(message(R"({"pre_tokenizer":{"type":"Metaspace"},"model":{"type":"BPE"}})"),
            "pre_tokenizer: Metaspace is not supported");
  EXPECT_EQ(message(R"({"normalizer":{"type":"Lowercase"},"model":{"type":"BPE"}})"),
            "normalizer: Lowercase is not supported");
  EXPECT_EQ(message(R"({"model":{"type":"BPE","vocab":{},"merges":[]}})"),
            "pre_tokenizer: without ByteLevel, which is not supported");
  EXPECT_EQ(message("{" + byte_level + R"("model":{"vocab":{"a":0},"merges":["a b"]}})"),
            "model: merges: number 0 is not in the vocabulary");
  EXPECT_EQ(message("{" + byte_level + R"("model":{"vocab":{"a":-1},"merges":[]}})"),
            "model: vocab: 'a' has no number");
  EXPECT_THAT(message("[1"), HasSubstr("not JSON: "));
  EXPECT_EQ(message("[]"), "not a JSON object");
  EXPECT_EQ(message("{}"), "model: not there");
  EXPECT_THAT(
      message(R"({"pre_tokenizer":{"type":"Split","behavior":"Isolated","pattern":{"Regex":"(a"}},)"
              R"("model":{"type":"BPE"}})"),
      HasSubstr("pre_tokenizer: pattern: missing closing parenthesis at character 3"));
}

TEST(MakeTokenCounter, WithoutAFileTheEstimateCounts) {
  const auto choice = make_token_counter(std::nullopt);
  ASSERT_TRUE(choice.has_value());
  EXPECT_FALSE(choice->exact);
  EXPECT_EQ(choice->description, "estimate without a tokenizer");
  EXPECT_EQ(choice->counter->count("the cat sat"), 3);
}

TEST(MakeTokenCounter, AFileIsDescribed) {
  const auto ranks = make_token_counter(path_of("small_cl100k_base.tiktoken"));
  ASSERT_TRUE(ranks.has_value());
  EXPECT_TRUE(ranks->exact);
  EXPECT_EQ(ranks->description, "small_cl100k_base.tiktoken (620 tokens, pattern of cl100k_base)");
  const auto json = make_token_counter(path_of("gpt2.json"));
  ASSERT_TRUE(json.has_value());
  EXPECT_EQ(json->description, "gpt2.json (500 tokens)");
}

TEST(MakeTokenCounter, ErrorsNameTheFile) {
  const auto missing = make_token_counter("/nonexistent/x.tiktoken");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().kind, ErrorKind::usage);
  EXPECT_THAT(missing.error().message, HasSubstr("/nonexistent/x.tiktoken"));
  const auto vectors = make_token_counter(path_of("vectors.json"));
  ASSERT_FALSE(vectors.has_value());
  EXPECT_THAT(vectors.error().message, HasSubstr("vectors.json: model: not there"));
}

}  // namespace
}  // namespace llmbatch
