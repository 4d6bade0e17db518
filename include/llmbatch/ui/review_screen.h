// ReviewScreen: one item to be judged, laid out for a terminal of any size: a head, the texts in
// pages, and the keys at the bottom. Knows nothing of databases. Thread rule: one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "llmbatch/ui/line_printer.h"
#include "llmbatch/ui/styled_line.h"

namespace llmbatch {

struct ReviewSection {
  std::string title;
  std::string text;
  Style style = Style::plain;
};

struct KeyHint {
  std::string key;
  std::string action;
};

/// What is to be shown.
struct ReviewPage {
  StyledLine progress;
  StyledLine item;
  std::vector<ReviewSection> sections;
  std::vector<KeyHint> keys;
  std::string message;              ///< about the last key; empty: none
  std::optional<std::string> note;  ///< a note that is being written
};

class ReviewScreen {
 public:
  explicit ReviewScreen(TerminalTraits traits) : traits_(traits) {}

  /// Another item: begins at its first line.
  void set_page(ReviewPage page);
  ReviewPage& page() { return page_; }

  /// Each moves by lines or by windows of the last frame, and stays inside the text.
  void scroll_lines(int lines);
  void scroll_pages(int pages);
  void scroll_to_start() { top_ = 0; }
  void scroll_to_end();
  /// False: the end of the text is on the screen.
  bool has_more() const { return top_ + window_ < body_lines_; }

  /// The whole screen as bytes for a terminal in raw mode. Not live: lines to be printed below what
  /// is there; of a page that was shown already only what is new.
  std::string render(int columns, int rows);

 private:
  std::vector<StyledLine> body(int columns) const;
  std::vector<StyledLine> foot(int columns) const;
  StyledLine ruler(std::string_view title, int columns) const;

  TerminalTraits traits_;
  ReviewPage page_;
  int top_ = 0;
  int window_ = 1;
  int body_lines_ = 0;
  int printed_top_ = -1;  ///< not live: where the window was when it was printed
};

}  // namespace llmbatch
