#include "llmbatch/ui/styled_line.h"

#include <algorithm>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

constexpr std::string_view kReset = "\x1b[0m";

std::string_view escape_code(Style style) {
  switch (style) {
    case Style::plain:
      return "";
    case Style::dim:
      return "\x1b[2m";
    case Style::strong:
      return "\x1b[1m";
    case Style::good:
      return "\x1b[32m";
    case Style::warning:
      return "\x1b[33m";
    case Style::bad:
      return "\x1b[31m";
    case Style::accent:
      return "\x1b[36m";
  }
  return "";
}

std::size_t character_length(std::string_view text, std::size_t start) {
  std::size_t end = start + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
  return end - start;
}

// The longest beginning of `text` that takes at most `columns`.
std::string_view cut_to_columns(std::string_view text, int columns) {
  std::size_t end = 0;
  int used = 0;
  while (end < text.size()) {
    const std::size_t length = character_length(text, end);
    used += display_width(text.substr(end, length));
    if (used > columns) break;
    end += length;
  }
  return text.substr(0, end);
}

}  // namespace

StyledLine& StyledLine::add(std::string_view text, Style style) {
  if (!text.empty()) parts_.push_back({sanitize_for_terminal(text), style});
  return *this;
}

StyledLine& StyledLine::add(const StyledLine& other) {
  parts_.insert(parts_.end(), other.parts_.begin(), other.parts_.end());
  return *this;
}

int StyledLine::width() const {
  int columns = 0;
  for (const Part& part : parts_) columns += display_width(part.text);
  return columns;
}

std::string StyledLine::plain_text() const { return render(false, true); }

std::string StyledLine::render(bool color, bool unicode, int max_width) const {
  const bool cut = max_width > 0 && width() > max_width;
  const std::string_view ellipsis = unicode ? "…" : "...";
  int left = cut ? std::max(0, max_width - (unicode ? 1 : 3)) : 0;
  std::string out;
  for (const Part& part : parts_) {
    const std::string_view text = cut ? cut_to_columns(part.text, left) : part.text;
    const std::string_view code = color ? escape_code(part.style) : "";
    out += code;
    out += text;
    if (!code.empty()) out += kReset;
    left -= display_width(text);
    if (cut && text.size() < part.text.size()) break;
  }
  if (cut)
    out +=
        ellipsis.substr(0, unicode ? ellipsis.size()
                                   : std::min<std::size_t>(3, static_cast<std::size_t>(max_width)));
  return out;
}

void FittedLine::add(StyledLine text, int rank) {
  if (!text.empty()) parts_.push_back({std::move(text), rank});
}

StyledLine FittedLine::fit(std::string_view separator, int max_width) const {
  std::vector<const Part*> kept;
  for (const Part& part : parts_) kept.push_back(&part);
  const auto joined = [&] {
    StyledLine line;
    for (const Part* part : kept) {
      if (!line.empty()) line.add(separator, Style::dim);
      line.add(part->text);
    }
    return line;
  };
  StyledLine line = joined();
  while (line.width() > max_width) {
    // Of equal ranks the last one goes first.
    const auto by_rank = [](const Part* a, const Part* b) { return a->rank <= b->rank; };
    auto worst = kept.begin();
    for (auto it = kept.begin(); it != kept.end(); ++it) {
      if (by_rank(*worst, *it)) worst = it;
    }
    if (worst == kept.end() || (*worst)->rank == 0) break;
    kept.erase(worst);
    line = joined();
  }
  return line;
}

}  // namespace llmbatch
