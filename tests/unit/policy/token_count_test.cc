#include "llmbatch/policy/token_count.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>

namespace llmbatch {
namespace {

TEST(TokenCount, NothingIsNoToken) { EXPECT_EQ(count_tokens(""), 0); }

TEST(TokenCount, ShortWordsAreOneTokenEach) {
  EXPECT_EQ(count_tokens("the cat sat on the mat"), 6);
  EXPECT_EQ(count_tokens("Hello, world!"), 4);
}

TEST(TokenCount, DigitsGoByThrees) {
  EXPECT_EQ(count_tokens("123456"), 2);
  EXPECT_EQ(count_tokens("1234567"), 3);
}

TEST(TokenCount, FollowsTheCutsOfO200k) {
  // Each of these is what o200k_base counts.
  EXPECT_EQ(count_tokens("It's 1234567 o'clock, isn't it?"), 11);
  EXPECT_EQ(count_tokens("Schöne Grüße aus Köln"), 5);
  EXPECT_EQ(count_tokens("Привет, как дела?"), 6);
  EXPECT_EQ(count_tokens("مرحبا كيف حالك"), 5);
  EXPECT_EQ(count_tokens("नमस्ते दुनिया"), 5);
  EXPECT_EQ(count_tokens("東京は日本の首都です。"), 8);
  EXPECT_EQ(count_tokens("ありがとうございます"), 1);
}

std::string content_of(const std::string& name) {
  std::ifstream file(std::string(LLMBATCH_TEST_DATA) + "/tokens/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Texts that the estimate was not made with; see the README beside them.
TEST(TokenCount, IsWithinAFewPercentOfO200kBaseInEveryKindOfText) {
  std::istringstream counts(content_of("counts.txt"));
  struct Sums {
    double known = 0;
    double counted = 0;
  };
  std::map<std::string, Sums> kinds;
  double known = 0;
  std::string name;
  while (counts >> known >> name) {
    Sums& sums = kinds[name.substr(0, name.find_first_of("-."))];
    sums.known += known;
    sums.counted += static_cast<double>(count_tokens(content_of(name)));
  }
  EXPECT_EQ(kinds.size(), 11U);
  for (const auto& [kind, sums] : kinds) {
    EXPECT_NEAR(sums.counted / sums.known, 1, 0.03) << kind;
  }
}

TEST(TokenCount, EmojiAreCutAsO200kBaseCutsThem) {
  EXPECT_EQ(count_tokens("great \U0001F631"), 3);
  EXPECT_EQ(count_tokens(" \u2764\uFE0F\u2764\uFE0F"), 2);
  EXPECT_EQ(count_tokens("\U0001F926\u200D\u2640\uFE0F"), 5);
  EXPECT_EQ(count_tokens("\u2705\u2705\u2705"), 3);
}

TEST(TokenCount, AnyBytesCount) {
  for (const char* bytes :
       {"\xE0\x80\x80", "\xF0\x80\x80\x80", "\xE6\x97", "\xFF", "a\xC3", " \xC2\xA0"}) {
    EXPECT_GT(count_tokens(bytes), 0);
  }
  std::string bytes;
  for (unsigned i = 0; i < 4096; ++i) bytes += static_cast<char>(i * 37 & 0xFF);
  EXPECT_GT(count_tokens(bytes), 0);
  EXPECT_LE(count_tokens(bytes), 4096);
}

TEST(TokenCount, LongRunsCostTimeByTheirLength) {
  EXPECT_GT(count_tokens(std::string(1'000'000, 'x')), 50'000);
  EXPECT_LT(count_tokens(std::string(1'000'000, ' ')), 20'000);
}

}  // namespace
}  // namespace llmbatch
