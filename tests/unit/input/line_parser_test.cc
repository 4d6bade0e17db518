#include "llmbatch/input/line_parser.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "unit/input/fake_provider.h"

namespace llmbatch {
namespace {

using testing::PaddedLine;

std::string error_of(std::string_view text, const LineParserOptions& options = {}) {
  LineParser parser(options);
  const PaddedLine line(text);
  LineFields fields;
  auto parsed = parser.parse(line.line(), fields);
  return parsed ? "" : parsed.error().message;
}

std::string id_of(std::string_view text, const LineParserOptions& options = {}) {
  LineParser parser(options);
  const PaddedLine line(text, 12);
  LineFields fields;
  auto parsed = parser.parse(line.line(), fields);
  return parsed ? std::string(fields.id) : "error: " + parsed.error().message;
}

TEST(LineParser, RecognisesABatchLine) {
  LineParser parser({});
  const PaddedLine line(R"({"custom_id":"r1","method":"POST","url":"/v1/chat/completions",)"
                        R"("body":{"model":"m", "messages":[]}})");
  LineFields fields;
  ASSERT_TRUE(parser.parse(line.line(), fields).has_value());
  EXPECT_EQ(fields.form, LineForm::batch_line);
  EXPECT_EQ(fields.id, "r1");
  EXPECT_EQ(fields.url, "/v1/chat/completions");
  EXPECT_EQ(fields.body, R"({"model":"m", "messages":[]})");
}

TEST(LineParser, RecognisesMessagesWithOtherFields) {
  LineParser parser({});
  const PaddedLine line(
      R"( {"id":"m1","messages":[{"role":"user"}],"system":"s","temperature":0.10,"x\u0041":null})");
  LineFields fields;
  ASSERT_TRUE(parser.parse(line.line(), fields).has_value());
  EXPECT_EQ(fields.form, LineForm::messages);
  EXPECT_EQ(fields.messages, R"([{"role":"user"}])");
  EXPECT_EQ(fields.system, R"("s")");
  ASSERT_EQ(fields.fields.size(), 2U);
  EXPECT_EQ(fields.fields[0].name, "temperature");
  EXPECT_EQ(fields.fields[0].value, "0.10");
  EXPECT_EQ(fields.fields[1].name, "xA");
}

TEST(LineParser, RecognisesAPrompt) {
  LineParser parser({});
  const PaddedLine line(R"({"id":7,"prompt":"say \"hi\""})");
  LineFields fields;
  ASSERT_TRUE(parser.parse(line.line(), fields).has_value());
  EXPECT_EQ(fields.form, LineForm::prompt);
  EXPECT_EQ(fields.prompt, R"("say \"hi\"")");
  EXPECT_TRUE(fields.fields.empty());
}

TEST(LineParser, OfRepeatedMembersTheLastCounts) {
  EXPECT_EQ(id_of(R"({"id":"a","prompt":"x","id":"b"})"), "b");
  std::string many = R"({"id":"a")";
  for (int i = 0; i < 100; ++i) many += ",\"f" + std::to_string(i) + "\":1";
  EXPECT_EQ(id_of(many + R"(,"prompt":"x","id":"b"})"), "b");
}

TEST(LineParser, TakesIdThenCustomIdThenTheNamedField) {
  LineParserOptions named;
  named.id_field = "ticket";
  EXPECT_EQ(id_of(R"({"ticket":"c","custom_id":"b","id":"a","prompt":""})", named), "a");
  EXPECT_EQ(id_of(R"({"ticket":"c","custom_id":"b","prompt":""})", named), "b");
  EXPECT_EQ(id_of(R"({"ticket":"c","prompt":""})", named), "c");
  EXPECT_EQ(id_of(R"({"id":null,"ticket":12345678901234567890123,"prompt":""})", named),
            "12345678901234567890123");
  EXPECT_EQ(id_of(R"({"id":1.50,"prompt":""})"), "1.50");
  EXPECT_EQ(id_of(R"({"id":"\u00e4\ud83d\ude00\n","prompt":""})"), "ä😀\n");
  LineParserOptions by_line;
  by_line.id_rule = IdRule::line;
  EXPECT_EQ(id_of(R"({"prompt":""})", by_line), "12");
}

TEST(LineParser, NamesWhatIsWrongWithAnId) {
  EXPECT_EQ(error_of(R"({"prompt":"x"})"), "no 'id' and no 'custom_id'");
  EXPECT_EQ(error_of(R"({"id":"","prompt":"x"})"), "'id' is empty");
  EXPECT_EQ(error_of(R"({"id":[1],"prompt":"x"})"), "'id' is neither a string nor a number ([1])");
  EXPECT_EQ(error_of(R"({"id":true,"prompt":"x"})"),
            "'id' is neither a string nor a number (true)");
}

TEST(LineParser, KeepsTheIdOfALineItCannotUse) {
  LineParser parser({});
  const PaddedLine line(R"({"messages":"no","id":"a"})");
  LineFields fields;
  auto parsed = parser.parse(line.line(), fields);
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().message, "'messages' is not an array");
  EXPECT_EQ(fields.id, "a");
}

TEST(LineParser, NamesTheColumnOfBrokenJson) {
  EXPECT_EQ(error_of("hello \"world"), "not a JSON object (expected '{' at column 1)");
  EXPECT_EQ(error_of("[1]"), "not a JSON object (expected '{' at column 1)");
  EXPECT_EQ(error_of(R"({"id":"ä" "b":1})"), "not valid JSON (expected ',' or '}' at column 11)");
  EXPECT_EQ(error_of(R"({"id" 1})"), "not valid JSON (expected ':' at column 7)");
  EXPECT_EQ(error_of(R"({"id":tru})"), "not valid JSON (expected a value at column 7)");
  EXPECT_EQ(error_of(R"({"id":"a")"), "not valid JSON (ends too early at column 10)");
  EXPECT_EQ(error_of(R"({"id":"a)"), "not valid JSON (string without an end at column 7)");
  EXPECT_EQ(error_of("{\"id\":\"a\tb\"}"),
            "not valid JSON (control character in a string at column 9)");
  EXPECT_EQ(error_of(R"({"id":"a\x"})"), "not valid JSON (bad escape in a string at column 9)");
  EXPECT_EQ(error_of(R"({"id":"\ud800"})"), "not valid JSON (bad escape in a string at column 8)");
  EXPECT_EQ(error_of("{\"id\":\"a\xff\"}"), "not UTF-8 (at column 9)");
  EXPECT_EQ(error_of(R"({"id":1}{"id":2})"),
            "not valid JSON (something follows the object at column 9)");
  EXPECT_EQ(error_of("{\"id\":1,\"prompt\":\"\",\"x\":" + std::string(2000, '[')),
            "not valid JSON (nested too deep at column 1048)");
}

TEST(LineParser, ChecksValuesThatNobodyReads) {
  EXPECT_NE(error_of(R"({"id":"a","prompt":"x","y":{"z":[1,]}})"), "");
  EXPECT_NE(error_of(R"({"id":"a","prompt":"x","y":01})"), "");
  EXPECT_NE(error_of(R"({"id":"a","prompt":"x","y":"b"c})"), "");
  EXPECT_NE(error_of(R"({"id":"a","prompt":"x","y":"b""c"})"), "");
  EXPECT_NE(error_of(R"({"id":"a","prompt":"x","y":{"z":1]})"), "");
}

TEST(LineParser, NamesTheFormThatIsIncomplete) {
  EXPECT_EQ(error_of(R"({"id":"a"})"), "has neither 'messages' nor 'prompt' nor 'url' and 'body'");
  EXPECT_EQ(error_of(R"({"id":"a","prompt":5})"), "'prompt' is not a string");
  EXPECT_EQ(error_of(R"({"id":"a","method":"POST","url":"/v1/x","body":5})"),
            "'body' is not an object");
  EXPECT_EQ(error_of(R"({"id":"a","method":"GET","url":"/v1/x","body":{}})"),
            "'method' is not POST (\"GET\")");
}

/// nlohmann is the judge of what JSON is; half surrogate pairs and depth are stricter here.
TEST(LineParser, AcceptsWhatAnIndependentParserAccepts) {
  std::mt19937 random(11);
  const std::string seed =
      R"({"id":"a\n\u0041","prompt":"x","y":[1,-2.5e+3,{"k":null},[],{}],"z":true,"w":""})";
  const std::string alphabet =
      "{}[]:,\"\\ 01-+.eEtfnu\x01"
      "\xc3\xa4"
      "ax";
  for (int round = 0; round < 20'000; ++round) {
    std::string text = seed;
    const std::size_t edits = 1 + random() % 3;
    for (std::size_t i = 0; i < edits; ++i) {
      const std::size_t at = random() % text.size();
      const char c = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
        case 0:
          text[at] = c;
          break;
        case 1:
          text.insert(at, 1, c);
          break;
        default:
          text.erase(at, 1);
          break;
      }
    }
    LineParserOptions by_line;
    by_line.id_rule = IdRule::line;
    const std::string error = error_of(text, by_line);
    const bool rejected = error.starts_with("not ");
    EXPECT_EQ(rejected, !nlohmann::json::accept(text) || text[text.find_first_not_of(" ")] != '{')
        << text << error;
  }
}

}  // namespace
}  // namespace llmbatch
