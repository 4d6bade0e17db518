#include "llmbatch/input/prompt_template.h"

#include <gtest/gtest.h>

#include "llmbatch/input/line_parser.h"
#include "unit/input/fake_provider.h"

namespace llmbatch {
namespace {

std::string render(std::string_view text, std::string_view record) {
  auto parsed = PromptTemplate::parse(text, "--prompt");
  if (!parsed) return "parse: " + parsed.error().message;
  std::string out;
  auto rendered = parsed->render(record, out);
  return rendered ? out : "error: " + rendered.error().message;
}

TEST(PromptTemplate, FillsInFieldsWithoutHtmlEscaping) {
  EXPECT_EQ(render("A: {{subject}}, {{ customer.name }} {{{x}}}{{&x}}",
                   R"({"subject":"a<b & \"c\"","customer":{"name":"Zoë"},"x":"\u0041"})"),
            R"("A: a<b & \"c\", Zoë \u0041\u0041")");
}

TEST(PromptTemplate, KeepsTheTextOfNumbersAndWritesObjectsCompactly) {
  EXPECT_EQ(render("{{n}} {{big}} {{b}} {{o}}",
                   R"({"n":1.10,"big":123456789012345678901,"b":false,"o":{ "k" : [1, "x y"]}})"),
            R"("1.10 123456789012345678901 false {\"k\":[1,\"x y\"]}")");
}

TEST(PromptTemplate, NamesAMissingField) {
  EXPECT_EQ(render("{{customer.name}}", R"({"customer":{}})"),
            "error: template field 'customer.name' is missing");
  EXPECT_EQ(render("{{a}}", R"({"a":null})"), "error: template field 'a' is missing");
  EXPECT_EQ(render("{{a.b}}", R"({"a":"text"})"), "error: template field 'a.b' is missing");
  EXPECT_EQ(render("{{#l}}{{x}}{{/l}}", R"({"l":[{"x":1},{}]})"),
            "error: template field 'x' is missing");
}

TEST(PromptTemplate, SectionsRepeatOpenAndHide) {
  EXPECT_EQ(render("{{#l}}<{{.}}>{{/l}}", R"({"l":[1,"b"]})"), R"("<1><b>")");
  EXPECT_EQ(render("{{#o}}{{k}}{{top}}{{/o}}", R"({"o":{"k":1},"top":2})"), R"("12")");
  EXPECT_EQ(render("{{#b}}yes{{/b}}{{^b}}no{{/b}}", R"({"b":true})"), R"("yes")");
  for (const char* record :
       {R"({"b":false})", R"({"b":null})", R"({})", R"({"b":[ ]})", R"({"b":""})"}) {
    EXPECT_EQ(render("{{#b}}{{c}}{{/b}}{{^b}}no{{/b}}", record), R"("no")") << record;
  }
}

TEST(PromptTemplate, TagsAloneOnALineTakeItWithThem) {
  EXPECT_EQ(render("a\n  {{#l}}\n- {{.}}\n  {{/l}}\nb", R"({"l":[1,2]})"), R"("a\n- 1\n- 2\nb")");
  EXPECT_EQ(render("{{! note }}\nx{{!y}}z", R"({})"), R"("xz")");
}

TEST(PromptTemplate, DelimitersCanBeChanged) {
  EXPECT_EQ(render("{{=<% %>=}}{{x}} <%x%>", R"({"x":1})"), R"("{{x}} 1")");
}

TEST(PromptTemplate, SaysWhereItIsMalformed) {
  EXPECT_EQ(render("ab\n{{x", "{}"), "parse: --prompt: tag has no '}}' (line 2, column 1)");
  EXPECT_EQ(render("{{#a}}x", "{}"), "parse: --prompt: section 'a' has no end (line 1, column 1)");
  EXPECT_EQ(render("{{#a}}{{/b}}", "{}"),
            "parse: --prompt: 'b' ends here, but 'a' is open (line 1, column 7)");
  EXPECT_EQ(render("{{/b}}", "{}"),
            "parse: --prompt: 'b' ends here, but was never opened (line 1, column 1)");
  EXPECT_EQ(render("{{}}", "{}"), "parse: --prompt: tag without a name (line 1, column 1)");
  EXPECT_EQ(render("{{a..b}}", "{}"), "parse: --prompt: bad name 'a..b' (line 1, column 1)");
  EXPECT_EQ(render("{{>p}}", "{}"),
            "parse: --prompt: partials are not supported (line 1, column 1)");
}

TEST(PromptTemplate, MakesEveryLineARecord) {
  LineParserOptions options;
  options.prompt =
      std::make_shared<const PromptTemplate>(*PromptTemplate::parse("Q: {{prompt}}\n", "--prompt"));
  options.system = std::make_shared<const PromptTemplate>(
      *PromptTemplate::parse("You know {{topic}}", "--system"));
  LineParser parser(options);
  const testing::PaddedLine line(R"( {"id":1,"prompt":"x","topic":"y","messages":0})");
  LineFields fields;
  ASSERT_TRUE(parser.parse(line.line(), fields).has_value());
  EXPECT_EQ(fields.form, LineForm::record);
  EXPECT_EQ(fields.prompt, R"("Q: x\n")");
  EXPECT_EQ(fields.system, R"("You know y")");
  EXPECT_TRUE(fields.fields.empty());
}

}  // namespace
}  // namespace llmbatch
