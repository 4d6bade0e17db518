#include "llmbatch/ui/review_screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "llmbatch/base/text.h"
#include "llmbatch/ui/keys.h"
#include "llmbatch/ui/text_layout.h"

namespace llmbatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<Key::Kind> kinds(std::string bytes, bool no_more = true) {
  std::vector<Key::Kind> result;
  for (const Key& key : take_keys(bytes, no_more)) result.push_back(key.kind);
  return result;
}

TEST(Keys, LettersControlsAndSequences) {
  EXPECT_THAT(kinds("g\r\x7f\x03\x1a"),
              ElementsAre(Key::Kind::text, Key::Kind::enter, Key::Kind::backspace,
                          Key::Kind::interrupt, Key::Kind::suspend));
  EXPECT_THAT(kinds("\x1b[A\x1b[6~\x1b[15~q"), ElementsAre(Key::Kind::up, Key::Kind::page_down,
                                                           Key::Kind::unknown, Key::Kind::text));
}

TEST(Keys, ALoneEscapeIsAKeyOnlyWhenNothingFollows) {
  std::string bytes = "\x1b";
  EXPECT_TRUE(take_keys(bytes, false).empty());
  EXPECT_EQ(bytes, "\x1b");
  EXPECT_THAT(kinds("\x1b"), ElementsAre(Key::Kind::escape));
}

TEST(Keys, CharactersOfSeveralBytesStayWhole) {
  std::string bytes = "\xC3\xA4\xE2\x82";
  const auto keys = take_keys(bytes, false);
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys[0].text, "\xC3\xA4");
  EXPECT_EQ(bytes, "\xE2\x82");
}

TEST(WrapText, BreaksAtSpacesAndKeepsLineEnds) {
  EXPECT_THAT(wrap_text("one two three\n\nfour", 8), ElementsAre("one two", "three", "", "four"));
  EXPECT_THAT(wrap_text("abcdefgh", 3), ElementsAre("abc", "def", "gh"));
  EXPECT_THAT(wrap_text("", 10), ElementsAre(""));
}

TEST(WrapText, CountsColumnsAndStripsControls) {
  for (const std::string& line : wrap_text("日本語の長い文章です", 7)) {
    EXPECT_LE(display_width(line), 7) << line;
  }
  EXPECT_EQ(wrap_text("a\x1b[31mb\r", 80)[0].find('\x1b'), std::string::npos);
}

TEST(ReadableInput, ShowsFieldsAndMessages) {
  EXPECT_EQ(readable_input(R"({"id":"a","n":3,"text":"two\nlines"})"),
            "id: a\nn: 3\ntext: two\nlines\n");
  EXPECT_EQ(readable_input(R"({"custom_id":"a","body":{"messages":[{"role":"user","content":"hi"},
    {"role":"user","content":[{"type":"text","text":"part"}]}]}})"),
            "custom_id: a\nuser: hi\nuser: part\n");
  EXPECT_EQ(readable_input("no json"), "no json");
}

TEST(PrettyJson, IndentsStructuresOnly) {
  EXPECT_EQ(pretty_json_or_text(R"({"b":1,"a":[2]})"), "{\n  \"b\": 1,\n  \"a\": [\n    2\n  ]\n}");
  EXPECT_EQ(pretty_json_or_text("12"), "12");
}

ReviewPage long_page() {
  ReviewPage page;
  page.progress.add("0 of 3 judged");
  page.item.add("t-1");
  std::string text;
  for (int i = 1; i <= 50; ++i) text += "row " + std::to_string(i) + "\n";
  page.sections.push_back({"answer", text, Style::plain});
  page.keys = {{"g", "good"}, {"b", "bad"}, {"s", "skip"}, {"n", "note"}, {"q", "quit"}};
  return page;
}

int count_lines(const std::string& frame) {
  return static_cast<int>(std::count(frame.begin(), frame.end(), '\n')) + 1;
}

TEST(ReviewScreen, FillsTheTerminalExactlyAndPages) {
  ReviewScreen screen({true, false, false});
  screen.set_page(long_page());
  for (const auto& [columns, rows] : {std::pair{80, 24}, std::pair{40, 15}, std::pair{20, 8}}) {
    EXPECT_LE(count_lines(screen.render(columns, rows)), rows);
  }
  std::string frame = screen.render(40, 15);
  EXPECT_EQ(count_lines(frame), 15);
  EXPECT_THAT(frame, HasSubstr("row 1\x1b"));
  EXPECT_THAT(frame, HasSubstr("space for more"));
  EXPECT_THAT(frame, Not(HasSubstr("row 20")));
  screen.scroll_pages(1);
  frame = screen.render(40, 15);
  EXPECT_THAT(frame, HasSubstr("row 12\x1b"));
  screen.scroll_to_end();
  frame = screen.render(40, 15);
  EXPECT_THAT(frame, HasSubstr("row 50\x1b"));
  EXPECT_FALSE(screen.has_more());
}

TEST(ReviewScreen, DumbTerminalsGetNoSequences) {
  ReviewScreen screen({false, false, false});
  screen.set_page(long_page());
  EXPECT_EQ(screen.render(80, 24).find('\x1b'), std::string::npos);
}

TEST(ReviewScreen, ANoteThatIsTooLongShowsItsEnd) {
  ReviewScreen screen({true, false, false});
  ReviewPage page = long_page();
  page.note = std::string(100, 'x') + "END";
  screen.set_page(std::move(page));
  EXPECT_THAT(screen.render(40, 15), HasSubstr("END_"));
}

}  // namespace
}  // namespace llmbatch
