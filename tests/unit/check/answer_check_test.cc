#include <gtest/gtest.h>

#include <chrono>

#include "llmbatch/check/answer_rules.h"

namespace llmbatch {
namespace {

AnswerVerdict judge(const AnswerRules& rules, const std::string& answer) {
  const auto check = make_answer_check(rules);
  EXPECT_TRUE(check.has_value()) << (check ? "" : check.error().message);
  if (!check) return {"no check", {}, false};
  Completion completion;
  completion.output = answer;
  return (*check)->check(completion);
}

std::string violation(const std::string& schema, const std::string& answer) {
  AnswerRules rules;
  rules.schema = schema;
  return judge(rules, answer).violation;
}

std::string refusal(const std::string& schema) {
  AnswerRules rules;
  rules.schema = schema;
  const auto check = make_answer_check(rules);
  if (check) return "accepted";
  EXPECT_EQ(check.error().kind, ErrorKind::usage);
  return check.error().message;
}

struct SchemaCase {
  std::string name;
  std::string schema;
  std::string fits;
  std::string fails;
  std::string violation;
};

class EveryKeyword : public testing::TestWithParam<SchemaCase> {};

TEST_P(EveryKeyword, TellsGoodFromBadAndSaysWhy) {
  EXPECT_EQ(violation(GetParam().schema, GetParam().fits), "");
  EXPECT_EQ(violation(GetParam().schema, GetParam().fails), GetParam().violation);
}

INSTANTIATE_TEST_SUITE_P(
    AnswerCheck, EveryKeyword,
    testing::Values(
        SchemaCase{"Type", R"({"type":"object"})", "{}", "[1]", "/: expected object, got [1]"},
        SchemaCase{"Types", R"({"type":["string","null"]})", "null", "1",
                   "/: expected string or null, got 1"},
        SchemaCase{"WholeDecimal", R"({"type":"integer"})", "5.0", "5.5",
                   "/: expected integer, got 5.5"},
        SchemaCase{"Enum", R"({"properties":{"label":{"enum":["a","b",3]}}})", R"({"label":3})",
                   R"({"label":"c"})", R"(/label: expected one of "a", "b", 3, got "c")"},
        SchemaCase{"Const", R"({"const":7})", "7", "8", "/: expected 7, got 8"},
        SchemaCase{"Required", R"({"type":"object","required":["x"]})", R"({"x":1})", "{}",
                   R"(/: the property "x" is missing)"},
        SchemaCase{"AdditionalProperties",
                   R"({"properties":{"x":{}},"additionalProperties":false})", R"({"x":1})",
                   R"({"x":1,"y":2})", R"(/: the property "y" is not expected)"},
        SchemaCase{"AdditionalPropertiesSchema", R"({"additionalProperties":{"type":"number"}})",
                   R"({"a":1})", R"({"a":"one"})", R"(/a: expected number, got "one")"},
        SchemaCase{"Minimum", R"({"minimum":0.5})", "0.5", "0.25",
                   "/: expected at least 0.5, got 0.25"},
        SchemaCase{"Maximum", R"({"maximum":5})", "5", "6", "/: expected at most 5, got 6"},
        SchemaCase{"ExclusiveMinimum", R"({"exclusiveMinimum":5})", "5.1", "5",
                   "/: expected more than 5, got 5"},
        SchemaCase{"ExclusiveMaximum", R"({"exclusiveMaximum":5})", "4", "5",
                   "/: expected less than 5, got 5"},
        SchemaCase{"MultipleOf", R"({"multipleOf":3})", "9", "10",
                   "/: expected a multiple of 3, got 10"},
        SchemaCase{"LengthInCharacters", R"({"minLength":2,"maxLength":3})", R"("äöü")", R"("ä")",
                   "/: expected at least 2 characters, got 1"},
        SchemaCase{"Pattern", R"({"pattern":"^[a-z]+$"})", R"("abc")", R"("a1")",
                   R"(/: expected a match of "^[a-z]+$", got "a1")"},
        SchemaCase{"Format", R"({"format":"date"})", R"("2026-11-25")", R"("25.11.2026")",
                   R"(/: expected the format "date", got "25.11.2026")"},
        SchemaCase{"Items", R"({"properties":{"l":{"items":{"type":"string"}}}})", R"({"l":["a"]})",
                   R"({"l":["a",2]})", "/l/1: expected string, got 2"},
        SchemaCase{"Tuple", R"({"prefixItems":[{"type":"string"}],"items":{"type":"number"}})",
                   R"(["a",1,2])", R"(["a",1,"b"])", R"(/2: expected number, got "b")"},
        SchemaCase{"NumberOfItems", R"({"maxItems":1})", "[1]", "[1,2]",
                   "/: expected at most 1 elements, got 2"},
        SchemaCase{"UniqueItems", R"({"uniqueItems":true})", R"([1,"1",[1],{"a":1}])",
                   R"([{"a":1,"b":2},{"b":2,"a":1}])", "/: expected no equal elements"},
        SchemaCase{"Contains", R"({"contains":{"type":"null"}})", "[1,null]", "[1]",
                   "/: failed to any values against subschema in 'contains' constraint"},
        SchemaCase{"AnyOf",
                   R"({"properties":{"x":{"anyOf":[{"type":"integer"},{"type":"null"}]}}})",
                   R"({"x":null})", R"({"x":"y"})", R"(/x: expected integer, got "y")"},
        SchemaCase{"AllOf", R"({"allOf":[{"required":["a"]},{"required":["b"]}]})",
                   R"({"a":1,"b":1})", R"({"a":1})", R"(/: the property "b" is missing)"},
        SchemaCase{"OneOf", R"({"oneOf":[{"type":"number"},{"type":"integer"}]})", "1.5", "1",
                   "/: failed to validate against exactly one child schema"},
        SchemaCase{"Not", R"({"not":{"type":"string"}})", "1", R"("x")",
                   "/: target should not validate against schema specified in 'not' constraint"},
        SchemaCase{
            "IfThenElse",
            R"({"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}})",
            R"({"a":1,"b":1})", R"({"a":1})", "/: missing required property 'b'"},
        SchemaCase{"DependentRequired", R"({"dependentRequired":{"a":["b"]}})", R"({"b":1})",
                   R"({"a":1})", "/: missing dependency 'b'"},
        SchemaCase{"Definitions",
                   R"({"$ref":"#/$defs/t","$defs":{"t":{"properties":{"x":{"type":"string"}}}}})",
                   R"({"x":"y"})", R"({"x":1})", "/x: expected string, got 1"},
        SchemaCase{
            "BesideAReference",
            R"({"properties":{"x":{"$ref":"#/$defs/t","minLength":2}},"$defs":{"t":{"type":"string"}}})",
            R"({"x":"ab"})", R"({"x":"a"})", "/x: expected at least 2 characters, got 1"},
        SchemaCase{
            "Recursion",
            R"({"type":"object","properties":{"next":{"$ref":"#"}},"additionalProperties":false})",
            R"({"next":{"next":{}}})", R"({"next":{"next":{"last":1}}})",
            R"(/next/next: the property "last" is not expected)"},
        SchemaCase{"BooleanSchema", R"({"properties":{"x":false}})", R"({"y":1})", R"({"x":1})",

                   "/: failed to validate against schema associated with property name 'x'"}),
    [](const auto& one) { return one.param.name; });

TEST(AnswerCheck, RefusesSchemasItCannotCheckAndNamesThePlace) {
  EXPECT_EQ(refusal("{"), "not JSON (it ends too early)");
  EXPECT_EQ(refusal("{\"type\":\n nope}"), "not JSON (line 2, column 3)");
  EXPECT_EQ(refusal("[]"), "/: [] is no schema");
  EXPECT_EQ(refusal(R"({"properties":{"a/b":{"type":"strnig"}}})"),
            "/properties/a~1b/type: 'strnig' is not a type");
  EXPECT_EQ(refusal(R"({"patternProperties":{"^a":{}}})"), "/patternProperties: is not supported");
  EXPECT_EQ(refusal(R"({"properties":{"a":{"$ref":"other.json#/x"}}})"),
            "/properties/a/$ref: 'other.json#/x' is not found in this schema");
  EXPECT_EQ(refusal(R"({"properties":{"a":{"pattern":"(["}}})"),
            "/properties/a/pattern: '([' is no regular expression (missing terminating ] for "
            "character class at character 3)");
  EXPECT_EQ(refusal(R"({"exclusiveMinimum":true})"), "/exclusiveMinimum: true is no number");
  EXPECT_EQ(refusal(R"({"items":{"minItems":-1}})"),
            "/items/minItems: -1 is no whole number from 0 on");
  EXPECT_EQ(refusal(R"({"required":"x"})"), R"(/required: "x" is no list of names)");
  EXPECT_EQ(refusal(R"({"enum":[]})"), "/enum: is no list of values");
}

TEST(AnswerCheck, RefusesSchemasThatNeverEnd) {
  const std::string reason = "/: a $ref comes back to itself without going deeper into the answer";
  EXPECT_EQ(refusal(R"({"$ref":"#"})"), reason);
  EXPECT_EQ(refusal(R"({"allOf":[{"$ref":"#"}]})"), reason);
  EXPECT_EQ(refusal(R"({"properties":{"a":{"$ref":"#/$defs/a"}},
                        "$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}}})"),
            reason);
}

TEST(AnswerCheck, NotesKeywordsWithoutEffect) {
  EXPECT_EQ(
      unchecked_keywords(
          R"({"requierd":["x"],"title":"t","x-own":1,"properties":{"a":{"format":"color"}}})"),
      (std::vector<std::string>{"/properties/a/format: the format \"color\" is not checked",
                                "/requierd: has no effect on the check"}));
}

TEST(AnswerCheck, TakesJsonOutOfCodeFences) {
  AnswerRules rules;
  rules.json = true;
  const auto verdict = judge(rules, " ```json\n{\"a\":\n 1.10}\n```\n");
  EXPECT_EQ(verdict.violation, "");
  EXPECT_TRUE(verdict.output_is_json);
  // As the model wrote it, not printed anew.
  EXPECT_EQ(verdict.output, "{\"a\":\n 1.10}");
  EXPECT_EQ(judge(rules, "```\n[1]\n```").output, "[1]");
  EXPECT_EQ(judge(rules, "\"```\"").output, "\"```\"");
  EXPECT_EQ(judge(rules, "Sure! {\"a\":1}").violation,
            R"(expected JSON, got "Sure! {\"a\":1}": not JSON (line 1, column 1))");
  EXPECT_EQ(judge(rules, "{\"a\":").violation,
            R"(expected JSON, got "{\"a\":": not JSON (it ends too early))");
  EXPECT_EQ(judge(rules, "``````").violation,
            R"(expected JSON, got "": not JSON (it ends too early))");
}

TEST(AnswerCheck, StoresChoicesInTheirOwnSpelling) {
  AnswerRules rules;
  rules.choices = {"Billing", "technical", "BILLING"};
  EXPECT_EQ(judge(rules, " Technical\n").output, "technical");
  EXPECT_EQ(judge(rules, "billing").output, "Billing");
  EXPECT_EQ(judge(rules, "BILLING").output, "BILLING");
  EXPECT_FALSE(judge(rules, "billing").output_is_json);
  EXPECT_EQ(judge(rules, "it is billing").violation,
            R"(expected one of "Billing", "technical", "BILLING", got "it is billing")");
}

TEST(AnswerCheck, MatchesAnywhereUnlessAnchored) {
  AnswerRules rules;
  rules.match = "[0-9]+ EUR";
  EXPECT_EQ(judge(rules, "about 40 EUR each\n").output, "about 40 EUR each\n");
  EXPECT_EQ(judge(rules, "forty\nEUR").violation,
            R"(expected a match of "[0-9]+ EUR", got "forty\nEUR")");
  rules.match = "^[A-C]$";
  EXPECT_EQ(judge(rules, "B\n").violation, "");
  EXPECT_NE(judge(rules, "BC").violation, "");
  rules.match = "(";
  EXPECT_FALSE(make_answer_check(rules).has_value());
}

TEST(AnswerCheck, GivesUpOnAnswersMadeToHangAnExpression) {
  AnswerRules rules;
  rules.match = "^(a+)+$";
  const auto start = std::chrono::steady_clock::now();
  const auto verdict = judge(rules, std::string(50'000, 'a') + "!");
  EXPECT_NE(verdict.violation.find("takes too long"), std::string::npos) << verdict.violation;
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  EXPECT_NE(violation(R"({"pattern":"^(a+)+$"})", "\"" + std::string(50'000, 'a') + "!\""), "");
}

TEST(AnswerCheck, RefusesAnswersNestedWithoutEnd) {
  AnswerRules rules;
  rules.json = true;
  EXPECT_NE(judge(rules, std::string(1'000'000, '[')).violation, "");
  EXPECT_EQ(judge(rules, std::string(100, '[') + std::string(100, ']')).violation, "");
  EXPECT_NE(judge(rules, std::string(200, '[') + std::string(200, ']'))
                .violation.find("nested deeper than 128 levels"),
            std::string::npos);
}

TEST(AnswerCheck, HugeAnswersAreJudgedWithoutAListOfErrors) {
  std::string answer = "[0";
  for (int i = 1; i < 200'000; ++i) answer += "," + std::to_string(i);
  answer += "]";
  EXPECT_EQ(violation(R"({"items":{"type":"integer"},"uniqueItems":true})", answer), "");
  EXPECT_EQ(violation(R"({"items":{"type":"string"}})", answer),
            "the answer does not fit the schema, and is too large to say where");
}

TEST(AnswerCheck, MendsTheCaseOfEnumeratedStringsWhereAsked) {
  AnswerRules rules;
  rules.schema =
      R"({"type":"object","properties":{"l":{"type":"array","items":{"$ref":"#/$defs/e"}}},
                     "$defs":{"e":{"enum":["Low","HIGH"]}}})";
  EXPECT_NE(judge(rules, R"({"l":["low","High"]})").violation, "");
  rules.any_enum_case = true;
  EXPECT_EQ(judge(rules, R"({"l":["low","High"]})").output, R"({"l":["Low","HIGH"]})");
  EXPECT_EQ(judge(rules, R"({"l":["Low"]})").output, R"({"l":["Low"]})");
  EXPECT_EQ(judge(rules, R"({"l":["mid"]})").violation,
            R"(/l/0: expected one of "Low", "HIGH", got "mid")");
}

TEST(AnswerCheck, AToolCallIsNoAnswer) {
  AnswerRules rules;
  rules.json = true;
  const auto check = make_answer_check(rules);
  Completion completion;
  completion.output = "[]";
  completion.output_is_json = true;
  EXPECT_EQ((*check)->check(completion).violation, "the answer is a tool call, not text");
}

TEST(AnswerCheck, WithoutRulesThereIsNone) {
  const auto check = make_answer_check({});
  ASSERT_TRUE(check.has_value());
  EXPECT_EQ(*check, nullptr);
}

}  // namespace
}  // namespace llmbatch
