#include "llmbatch/base/text.h"

#include <gtest/gtest.h>

#include <limits>

namespace llmbatch {
namespace {

using namespace std::string_literals;

std::string json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(SanitizeForTerminal, EscapeSequencesLoseTheirEscape) {
  EXPECT_EQ(sanitize_for_terminal("a\x1b[31mred"), "a\uFFFD[31mred");
  EXPECT_EQ(sanitize_for_terminal("a\x7f"), "a\uFFFD");
  EXPECT_EQ(sanitize_for_terminal("a\u009b31m"), "a\uFFFD31m");
  EXPECT_EQ(sanitize_for_terminal("a\0b"s), "a\uFFFDb");
  EXPECT_EQ(sanitize_for_terminal("a\rb"), "a\uFFFDb");
}

TEST(SanitizeForTerminal, BidiControlsCannotReorderText) {
  EXPECT_EQ(sanitize_for_terminal("a\u202Eb\u2066c\u200Fd"), "a\uFFFDb\uFFFDc\uFFFDd");
}

TEST(SanitizeForTerminal, LineEndAndTabBecomeSpacesUnlessKept) {
  EXPECT_EQ(sanitize_for_terminal("a\nb\tc"), "a b c");
  EXPECT_EQ(sanitize_for_terminal("a\nb\tc", "\n"), "a\nb c");
  EXPECT_EQ(sanitize_for_terminal("a\nb\x1b", "\n\t"), "a\nb\uFFFD");
}

TEST(SanitizeForTerminal, OrdinaryTextStays) {
  EXPECT_EQ(sanitize_for_terminal("größe 日本 👍"), "größe 日本 👍");
}

TEST(ToValidUtf8, ValidTextStays) {
  const std::string text = "a\0ß€😀\U0010FFFF"s;
  EXPECT_EQ(to_valid_utf8(text), text);
}

TEST(ToValidUtf8, EachIllFormedSequenceBecomesOneReplacement) {
  EXPECT_EQ(to_valid_utf8("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(to_valid_utf8("\xE2\x82"), "\uFFFD");                            // cut at the end
  EXPECT_EQ(to_valid_utf8("\xE2\x82z"), "\uFFFDz");                          // cut inside
  EXPECT_EQ(to_valid_utf8("\xF0\x9F\x98"), "\uFFFD");                        // cut at the end
  EXPECT_EQ(to_valid_utf8("\xC0\xAF"), "\uFFFD\uFFFD");                      // overlong
  EXPECT_EQ(to_valid_utf8("\xE0\x80\x80"), "\uFFFD\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(to_valid_utf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");            // surrogate
  EXPECT_EQ(to_valid_utf8("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // over U+10FFFF
  EXPECT_EQ(to_valid_utf8("\x80"), "\uFFFD");
}

TEST(AppendJsonString, QuotesAndEscapes) {
  EXPECT_EQ(json(""), R"("")");
  EXPECT_EQ(json("plain"), R"("plain")");
  EXPECT_EQ(json("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(json("\b\f\n\r\t"), R"("\b\f\n\r\t")");
  EXPECT_EQ(json("\x01\x1f\0"s), R"("\u0001\u001f\u0000")");
}

TEST(AppendJsonString, AppendsToWhatIsThere) {
  std::string out = "x";
  append_json_string(out, "y");
  EXPECT_EQ(out, R"(x"y")");
}

TEST(AppendJsonString, Utf8StaysAndInvalidBytesAreReplaced) {
  EXPECT_EQ(json("ß€😀"), "\"ß€😀\"");
  EXPECT_EQ(json("a\xFF\xC3"), "\"a\uFFFD\uFFFD\"");
}

TEST(TruncateChars, CountsCharactersNotBytes) {
  EXPECT_EQ(truncate_chars("größe", 5), "größe");
  EXPECT_EQ(truncate_chars("größe", 4), "größ…");
  EXPECT_EQ(truncate_chars("日本語", 1), "日…");
  EXPECT_EQ(truncate_chars("", 0), "");
  EXPECT_EQ(truncate_chars("a", 0), "…");
}

TEST(DisplayWidth, AsciiIsOneColumnEach) {
  EXPECT_EQ(display_width(""), 0);
  EXPECT_EQ(display_width("hello, world"), 12);
}

TEST(DisplayWidth, WideCharactersAreTwoColumns) {
  EXPECT_EQ(display_width("日本"), 4);
  EXPECT_EQ(display_width("한글"), 4);
  EXPECT_EQ(display_width("ＡＢ"), 4);
  EXPECT_EQ(display_width("👍"), 2);
  EXPECT_EQ(display_width("🧪"), 2);
  EXPECT_EQ(display_width("\U00020000"), 2);
}

TEST(DisplayWidth, NarrowSymbolsStayNarrow) {
  EXPECT_EQ(display_width("größe"), 5);
  EXPECT_EQ(display_width("█░▏…·✓✗→"), 8);
}

TEST(DisplayWidth, CombiningAndInvisibleCharactersTakeNone) {
  EXPECT_EQ(display_width("e\u0301"), 1);
  EXPECT_EQ(display_width("\u200D"), 0);
  EXPECT_EQ(display_width("\uFE0F"), 0);
  EXPECT_EQ(display_width("\u200B"), 0);
}

TEST(DisplayWidth, InvalidBytesAreShownAsOneColumn) { EXPECT_EQ(display_width("a\xFFz"), 3); }

TEST(Trim, TakesWhitespaceOffBothEnds) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(trim(""), "");
}

TEST(IgnoreCase, OnlyAsciiLettersFold) {
  EXPECT_EQ(to_lower_ascii("AbZ-9Ä"), "abz-9Ä");
  EXPECT_TRUE(equals_ignore_case("Retry-After", "retry-aFTER"));
  EXPECT_FALSE(equals_ignore_case("retry", "retry-after"));
  EXPECT_FALSE(equals_ignore_case("@", "`"));
  EXPECT_TRUE(contains_ignore_case("Rate Limit reached", "rate limit"));
  EXPECT_TRUE(contains_ignore_case("x", ""));
  EXPECT_FALSE(contains_ignore_case("", "x"));
  EXPECT_FALSE(contains_ignore_case("rate", "rates"));
}

TEST(Counted, OneIsTheOnlySingular) {
  EXPECT_EQ(counted(0, "item"), "0 items");
  EXPECT_EQ(counted(1, "item"), "1 item");
  EXPECT_EQ(counted(1200, "item"), "1,200 items");
}

TEST(GroupDigits, CommaEveryThree) {
  EXPECT_EQ(group_digits(0), "0");
  EXPECT_EQ(group_digits(999), "999");
  EXPECT_EQ(group_digits(1000), "1,000");
  EXPECT_EQ(group_digits(1234567), "1,234,567");
  EXPECT_EQ(group_digits(-123), "-123");
  EXPECT_EQ(group_digits(-1234), "-1,234");
  EXPECT_EQ(group_digits(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(ParseSizeBytes, UnitsArePowersOf1024) {
  EXPECT_EQ(parse_size_bytes("64"), 64U);
  EXPECT_EQ(parse_size_bytes("64B"), 64U);
  EXPECT_EQ(parse_size_bytes("64K"), 65536U);
  EXPECT_EQ(parse_size_bytes("64kib"), 65536U);
  EXPECT_EQ(parse_size_bytes("64MB"), 67108864U);
  EXPECT_EQ(parse_size_bytes("64MiB"), 67108864U);
  EXPECT_EQ(parse_size_bytes("1G"), 1073741824U);
  EXPECT_EQ(parse_size_bytes("0"), 0U);
}

TEST(ParseSizeBytes, EverythingElseIsRefused) {
  for (const char* text : {"", "K", "-1", "+1", "1.5G", "64 K", "64T", "64KX", "64Ki", "64ib",
                           "18446744073709551616", "18014398509481984K"}) {
    EXPECT_EQ(parse_size_bytes(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_size_bytes("18014398509481983K"), 18446744073709550592U);
}

TEST(NearestWord, FindsTypos) {
  const std::vector<std::string> flags = {"--model", "--max-tokens", "--concurrency", "--rpm"};
  EXPECT_EQ(nearest_word("--modle", flags), "--model");
  EXPECT_EQ(nearest_word("--max_tokens", flags), "--max-tokens");
  EXPECT_EQ(nearest_word("--Concurency", flags), "--concurrency");
}

TEST(NearestWord, FarWordsAreNoTypos) {
  EXPECT_EQ(nearest_word("--temperature", {"--model", "--rpm"}), std::nullopt);
  EXPECT_EQ(nearest_word("x", {"y"}), std::nullopt);
  EXPECT_EQ(nearest_word("", {"a"}), std::nullopt);
  EXPECT_EQ(nearest_word("run", {}), std::nullopt);
}

TEST(NearestWord, TheNearestOfSeveralWins) {
  EXPECT_EQ(nearest_word("status", {"stages", "statu", "state"}), "statu");
}

TEST(FoldCase, MakesCapitalsOfSeveralAlphabetsSmall) {
  EXPECT_EQ(fold_case("Billing 42"), "billing 42");
  EXPECT_EQ(fold_case("ÄRGER Œuvre ŽLUTÝ Ÿ"), "ärger œuvre žlutý ÿ");
  EXPECT_EQ(fold_case("ΛΌΓΟΣ"), fold_case("λόγος"));
  EXPECT_EQ(fold_case("ЁЛКА Ґанок"), "ёлка ґанок");
  EXPECT_EQ(fold_case("請求 ×÷ ß 😀"), "請求 ×÷ ß 😀");
  EXPECT_EQ(fold_case("a\xFF"
                      "B"),
            "a\xEF\xBF\xBD"
            "b");
}

}  // namespace
}  // namespace llmbatch
