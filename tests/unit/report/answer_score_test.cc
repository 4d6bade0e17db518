#include "llmbatch/report/answer_score.h"

#include <gtest/gtest.h>

namespace llmbatch {
namespace {

AnswerScorer scorer(ScoreRule rule) { return std::move(*AnswerScorer::create(std::move(rule))); }

TEST(AnswerScorer, FindsTheExpectedValueByNameAndByPath) {
  const auto find = [](const std::string& field, const std::string& line) {
    return scorer({field, MatchMode::exact, ""}).expected(line);
  };
  EXPECT_EQ(find("label", R"({"label":"billing"})"), R"("billing")");
  EXPECT_EQ(find("meta.label", R"({"meta":{"label":7}})"), "7");
  EXPECT_EQ(find("meta.label", R"({"meta.label":1,"meta":{"label":7}})"), "1");
  EXPECT_EQ(find("a.b.c", R"({"a.b":{"c":true}})"), "true");
  EXPECT_FALSE(find("label", R"({"label":null})"));
  EXPECT_FALSE(find("label", R"({"other":1})"));
  EXPECT_FALSE(find("meta.label", R"({"meta":"x"})"));
  EXPECT_FALSE(find("label", "no JSON"));
}

TEST(AnswerScorer, ExactLooksAtTextsAndValues) {
  const auto same = [](const std::string& expected, const std::string& answer) {
    return AnswerScorer::matches(expected, answer, MatchMode::exact);
  };
  EXPECT_TRUE(same(R"("billing")", R"("billing\n")"));
  EXPECT_FALSE(same(R"("billing")", R"("Billing")"));
  EXPECT_FALSE(same(R"("billing")", R"("billing.")"));
  EXPECT_TRUE(same("7", R"(" 7 ")"));
  EXPECT_TRUE(same("7", "7.0"));
  EXPECT_TRUE(same("true", R"("true")"));
  EXPECT_TRUE(same(R"("7")", "7"));
  EXPECT_FALSE(same("7", R"("seven")"));
  EXPECT_TRUE(same(R"({"a":1,"b":[2]})", R"("{\"b\": [2], \"a\": 1}")"));
  EXPECT_FALSE(same(R"({"a":1})", R"({"a":2})"));
}

TEST(AnswerScorer, CasefoldForgivesCaseQuotesAndFullStops) {
  const auto same = [](const std::string& expected, const std::string& answer) {
    return AnswerScorer::matches(expected, answer, MatchMode::casefold);
  };
  EXPECT_TRUE(same(R"("billing")", R"("**Billing.**")"));
  EXPECT_TRUE(same(R"("Ärger")", R"("\"ÄRGER\"")"));
  EXPECT_TRUE(same(R"("two  words")", R"("Two\nwords")"));
  EXPECT_TRUE(same("true", R"("True")"));
  EXPECT_FALSE(same(R"("billing")", R"("Billing or shipping")"));
  EXPECT_FALSE(same(R"("billing")", R"("")"));
}

TEST(AnswerScorer, NumericComparesNumbersHoweverTheyAreWritten) {
  const auto same = [](const std::string& expected, const std::string& answer) {
    return AnswerScorer::matches(expected, answer, MatchMode::numeric);
  };
  EXPECT_TRUE(same("1299", R"("$1,299.00")"));
  EXPECT_TRUE(same(R"("0.1")", "0.10000000000001"));
  EXPECT_TRUE(same("-5", R"("-5 %")"));
  EXPECT_TRUE(same("1234567", R"("1,234,567")"));
  EXPECT_FALSE(same("1299", R"("1,29")"));
  EXPECT_FALSE(same("1299", R"("12,99")"));
  EXPECT_FALSE(same("3", R"("three")"));
  EXPECT_FALSE(same("3", R"("3 or 4")"));
  EXPECT_FALSE(same("3", "3.0001"));
  EXPECT_FALSE(same(R"("x")", R"("x")"));
}

TEST(AnswerScorer, TheComparedPartOfAnAnswerIsWhatThePointerNames) {
  const AnswerScorer whole = scorer({"label", MatchMode::exact, ""});
  EXPECT_EQ(whole.answer("billing", false), R"("billing")");
  EXPECT_EQ(whole.answer(R"({"a":1})", true), R"({"a":1})");
  const AnswerScorer part = scorer({"label", MatchMode::exact, "/label"});
  EXPECT_EQ(part.answer(R"({"label": "billing"})", false), R"("billing")");
  EXPECT_EQ(part.answer(R"({"label": 3})", true), "3");
  EXPECT_FALSE(part.answer("billing", false));
  EXPECT_FALSE(part.answer(R"({"other": 3})", true));
  EXPECT_FALSE(part.answer(R"([1, 2])", true));
  EXPECT_FALSE(AnswerScorer::create({"label", MatchMode::exact, "label"}));
}

TEST(WithoutOwnModel, DropsTheModelOfALineAndOfItsBody) {
  EXPECT_EQ(without_own_model(R"({"id":"a","model":"x","prompt":"hi"})"),
            R"({"id":"a","prompt":"hi"})");
  EXPECT_EQ(without_own_model(R"({"custom_id":"a","body":{"model":"x","n":1}})"),
            R"({"custom_id":"a","body":{"n":1}})");
  EXPECT_FALSE(without_own_model(R"({"id":"a","prompt":"model"})"));
  EXPECT_FALSE(without_own_model("nope"));
}

TEST(MatchMode, HasTheNamesOfTheFlag) {
  EXPECT_EQ(parse_match_mode("exact"), MatchMode::exact);
  EXPECT_EQ(parse_match_mode("casefold"), MatchMode::casefold);
  EXPECT_EQ(parse_match_mode("numeric"), MatchMode::numeric);
  EXPECT_FALSE(parse_match_mode("fuzzy"));
}

}  // namespace
}  // namespace llmbatch
