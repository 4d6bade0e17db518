#include "llmbatch/policy/token_count.h"

#include <gtest/gtest.h>

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

TEST(TokenCount, AnyBytesCount) {
  std::string bytes;
  for (unsigned i = 0; i < 4096; ++i) bytes += static_cast<char>(i * 37 & 0xFF);
  EXPECT_GT(count_tokens(bytes), 0);
  EXPECT_LE(count_tokens(bytes), 4096);
}

}  // namespace
}  // namespace llmbatch
