#include "llmbatch/report/review_sheet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "llmbatch/report/csv_reader.h"

namespace llmbatch {
namespace {

using testing::HasSubstr;

TEST(CsvReader, QuotesSeparatorsAndLineEnds) {
  CsvReader reader(
      "\xEF\xBB\xBF"
      "a,b\r\n\"x, \"\"y\"\"\r\nz\",2\r\n\r\nlast,\n");
  std::vector<std::string> cells;
  ASSERT_TRUE(reader.next(cells));
  EXPECT_EQ(cells, (std::vector<std::string>{"a", "b"}));
  ASSERT_TRUE(reader.next(cells));
  EXPECT_EQ(cells, (std::vector<std::string>{"x, \"y\"\r\nz", "2"}));
  EXPECT_EQ(reader.line(), 2U);
  ASSERT_TRUE(reader.next(cells));
  EXPECT_EQ(cells, (std::vector<std::string>{"last", ""}));
  EXPECT_EQ(reader.line(), 5U);
  EXPECT_FALSE(reader.next(cells));
}

SheetRow row() {
  SheetRow row;
  row.id = "t-1";
  row.state = ItemState::flagged;
  row.input = R"({"id": "t-1"})";
  row.output = "=1, \"2\"\nx";
  row.verdict = Verdict::bad;
  row.note = "wrong, really";
  row.attempt_id = 7;
  return row;
}

TEST(ReviewSheet, ComesBackAsItWasWritten) {
  for (const SheetFormat format : {SheetFormat::csv, SheetFormat::jsonl}) {
    std::string text = sheet_header(format);
    append_sheet_row(text, row(), format, false);
    const auto rows = parse_review_sheet(text, format, "s");
    ASSERT_TRUE(rows) << rows.error().message;
    ASSERT_EQ(rows->size(), 1U);
    EXPECT_EQ((*rows)[0].id, "t-1");
    EXPECT_EQ((*rows)[0].verdict, Verdict::bad);
    EXPECT_EQ((*rows)[0].note, "wrong, really");
    EXPECT_EQ((*rows)[0].attempt_id, 7);
  }
}

TEST(ReviewSheet, ColumnsAreAPromise) {
  EXPECT_EQ(sheet_header(SheetFormat::csv), "id,state,input,output,verdict,note,attempt\n");
  std::string text;
  append_sheet_row(text, row(), SheetFormat::jsonl, false);
  EXPECT_EQ(text,
            "{\"id\":\"t-1\",\"state\":\"flagged\",\"input\":{\"id\":\"t-1\"},\"output\":"
            "\"=1, \\\"2\\\"\\nx\",\"verdict\":\"bad\",\"note\":\"wrong, really\","
            "\"attempt\":7}\n");
}

TEST(ReviewSheet, GuardsFormulas) {
  std::string text;
  append_sheet_row(text, row(), SheetFormat::csv, true);
  EXPECT_THAT(text, HasSubstr("\"'=1"));
}

TEST(ReviewSheet, EveryFaultIsNamedWithItsLine) {
  const auto rows = parse_review_sheet("id;verdict;attempt\na;godo;1\n;good;x\nb;;\nc;Good;2\n",
                                       SheetFormat::csv, "s.csv");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind, ErrorKind::usage);
  EXPECT_THAT(rows.error().message, HasSubstr("s.csv:2: unknown verdict 'godo'"));
  EXPECT_THAT(rows.error().message, HasSubstr("s.csv:3: attempt 'x' is not a number"));
  EXPECT_THAT(rows.error().message, HasSubstr("s.csv:3: no id"));
  EXPECT_THAT(rows.error().message, testing::Not(HasSubstr("s.csv:5")));
}

TEST(ReviewSheet, NeedsItsColumns) {
  EXPECT_THAT(parse_review_sheet("id,note\n", SheetFormat::csv, "s").error().message,
              HasSubstr("s:1: no column 'verdict'"));
  EXPECT_FALSE(parse_review_sheet("", SheetFormat::csv, "s"));
  EXPECT_THAT(parse_review_sheet("[1]\n", SheetFormat::jsonl, "s").error().message,
              HasSubstr("s:1: not a JSON object"));
}

TEST(ReviewSheet, FormatGoesByTheName) {
  EXPECT_EQ(sheet_format_of("a/B.CSV"), SheetFormat::csv);
  EXPECT_EQ(sheet_format_of("x.ndjson"), SheetFormat::jsonl);
  EXPECT_EQ(sheet_format_of("-"), std::nullopt);
}

}  // namespace
}  // namespace llmbatch
