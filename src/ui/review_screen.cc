#include "llmbatch/ui/review_screen.h"

#include <fmt/format.h>

#include <algorithm>

#include "llmbatch/base/text.h"
#include "llmbatch/ui/text_layout.h"

namespace llmbatch {
namespace {

constexpr int kWidest = 100;  // longer lines are hard to read

std::string_view ellipsis(bool unicode) { return unicode ? "…" : "..."; }

/// The end of a text that is being written, as far as it fits.
std::string tail_to_columns(const std::string& text, int columns, bool unicode) {
  if (display_width(text) <= columns) return text;
  const std::string_view mark = ellipsis(unicode);
  std::size_t start = 0;
  while (start < text.size() &&
         display_width(std::string_view(text).substr(start)) + display_width(mark) > columns) {
    ++start;
    while (start < text.size() && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) ++start;
  }
  return std::string(mark) + text.substr(start);
}

/// The key hints, on as many lines as they need.
std::vector<StyledLine> key_lines(const std::vector<KeyHint>& keys, int columns) {
  std::vector<StyledLine> lines(1);
  for (const KeyHint& hint : keys) {
    const int width = display_width(hint.key) + 1 + display_width(hint.action);
    const int gap = lines.back().empty() ? 0 : 2;
    if (gap > 0 && lines.back().width() + gap + width > columns) lines.emplace_back();
    if (!lines.back().empty()) lines.back().add("  ");
    lines.back().add(hint.key, Style::accent).add(" ").add(hint.action);
  }
  return lines;
}

}  // namespace

void ReviewScreen::set_page(ReviewPage page) {
  page_ = std::move(page);
  top_ = 0;
  printed_top_ = -1;
}

void ReviewScreen::scroll_lines(int lines) {
  top_ = std::clamp(top_ + lines, 0, std::max(0, body_lines_ - window_));
}

// One line of the page before stays in sight.
void ReviewScreen::scroll_pages(int pages) { scroll_lines(pages * std::max(1, window_ - 1)); }

void ReviewScreen::scroll_to_end() { scroll_lines(body_lines_); }

StyledLine ReviewScreen::ruler(std::string_view title, int columns) const {
  const std::string_view dash = traits_.unicode ? "─" : "-";
  StyledLine line;
  std::string text;
  if (!title.empty()) text = fmt::format("{}{} {} ", dash, dash, title);
  while (display_width(text) < columns) text += dash;
  line.add(text, Style::dim);
  return line;
}

std::vector<StyledLine> ReviewScreen::body(int columns) const {
  std::vector<StyledLine> lines;
  for (const ReviewSection& section : page_.sections) {
    lines.push_back(ruler(section.title, columns));
    for (const std::string& text : wrap_text(section.text, columns)) {
      lines.emplace_back(text, section.style);
    }
  }
  return lines;
}

std::vector<StyledLine> ReviewScreen::foot(int columns) const {
  if (page_.note) {
    const std::string_view label = "note: ";
    const int room = columns - display_width(label) - 1;
    StyledLine note(label, Style::strong);
    note.add(tail_to_columns(*page_.note, room, traits_.unicode)).add("_", Style::accent);
    return {note, key_lines({{"Enter", "keep it"}, {"Esc", "as it was"}}, columns)[0]};
  }
  std::vector<StyledLine> lines;
  if (!page_.message.empty()) lines.emplace_back(page_.message, Style::warning);
  for (StyledLine& line : key_lines(page_.keys, columns)) lines.push_back(std::move(line));
  return lines;
}

std::string ReviewScreen::render(int columns, int rows) {
  // Some terminals wrap when the last column is written.
  const int width = columns - 1;
  const std::vector<StyledLine> text = body(std::min(width, kWidest));
  const std::vector<StyledLine> below = foot(width);
  body_lines_ = static_cast<int>(text.size());
  // Two lines of head, one ruler above the keys.
  window_ = std::max(1, rows - 3 - static_cast<int>(below.size()));
  scroll_lines(0);
  const int end = std::min(body_lines_, top_ + window_);
  std::string place;
  if (body_lines_ > window_) {
    place = fmt::format("{}-{} of {}{}", top_ + 1, end, body_lines_,
                        has_more() ? ", space for more" : "");
  }
  std::vector<StyledLine> frame{page_.progress, page_.item};
  const bool again = !traits_.live && printed_top_ == top_;
  if (again) frame.clear();
  for (int i = top_; i < end && !again; ++i) frame.push_back(text[static_cast<std::size_t>(i)]);
  for (int i = end - top_; i < window_ && traits_.live; ++i) frame.emplace_back();
  if (!again) frame.push_back(ruler(place, std::min(width, kWidest)));
  frame.insert(frame.end(), below.begin(), below.end());
  printed_top_ = top_;

  std::string out = traits_.live ? "\x1b[H" : "\r\n";
  for (std::size_t i = 0; i < frame.size(); ++i) {
    if (i > 0) out += "\r\n";
    out += frame[i].render(traits_.color, traits_.unicode, width);
    if (traits_.live) out += "\x1b[K";
  }
  if (traits_.live) out += "\x1b[J";
  return out;
}

}  // namespace llmbatch
