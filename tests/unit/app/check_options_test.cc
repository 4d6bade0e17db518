#include "llmbatch/app/check_options.h"

#include <gtest/gtest.h>

namespace llmbatch {
namespace {

CheckOptions all_checks() {
  CheckOptions options;
  options.schema = R"({"type":"object","properties":{"b":{},"a":{}}})";
  options.json = true;
  options.match = "x+";
  options.format = "json";
  return options;
}

TEST(CheckOptions, WhatTheJobStoresIsALiteral) {
  EXPECT_EQ(canonical_checks({}), "");
  EXPECT_EQ(canonical_checks(all_checks()),
            R"({"schema":{"type":"object","properties":{"b":{},"a":{}}},"json":true,)"
            R"("match":"x+","format":"json"})");
  CheckOptions choices;
  choices.choices = {"a", "b"};
  EXPECT_EQ(canonical_checks(choices), R"({"choices":["a","b"]})");
}

TEST(CheckOptions, ComeBackFromTheDatabase) {
  const auto read = stored_checks(canonical_checks(all_checks()));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(canonical_checks(*read), canonical_checks(all_checks()));
  EXPECT_TRUE(stored_checks("")->empty());
  EXPECT_FALSE(stored_checks("nonsense").has_value());
  EXPECT_FALSE(stored_checks(R"({"choices":3})").has_value());
}

TEST(CheckOptions, SecondQuestionAndRecheckAreNoPartOfTheJob) {
  CheckOptions options = all_checks();
  options.reask = false;
  options.recheck = true;
  EXPECT_EQ(canonical_checks(options), canonical_checks(all_checks()));
}

TEST(CheckOptions, DecideWhatTheProviderIsAskedFor) {
  CheckOptions options;
  EXPECT_EQ(answer_format(options).shape, AnswerShape::text);
  options.json = true;
  EXPECT_EQ(answer_format(options).shape, AnswerShape::json);
  options.schema = "{}";
  EXPECT_EQ(answer_format(options).shape, AnswerShape::schema);
  EXPECT_EQ(answer_format(options).schema, "{}");
  options.format = "json";
  EXPECT_EQ(answer_format(options).shape, AnswerShape::json);
  options.format = "text";
  EXPECT_EQ(answer_format(options).shape, AnswerShape::text);
}

}  // namespace
}  // namespace llmbatch
