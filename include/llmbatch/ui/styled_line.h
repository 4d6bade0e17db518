// StyledLine: one line of text for a terminal, in parts with a style each. Safe by construction:
// every part is sanitised when it is added, and escape codes come only from render().
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llmbatch {

/// What a part means; the colours are chosen in one place.
enum class Style { plain, dim, strong, good, warning, bad, accent };

class StyledLine {
 public:
  StyledLine() = default;
  explicit StyledLine(std::string_view text, Style style = Style::plain) { add(text, style); }

  StyledLine& add(std::string_view text, Style style = Style::plain);
  StyledLine& add(const StyledLine& other);

  bool empty() const { return parts_.empty(); }
  /// Terminal columns.
  int width() const;
  std::string plain_text() const;
  /// With escape codes when `color`. Cut to `max_width` columns (0: whole), with an ellipsis, which
  /// is `...` unless `unicode`.
  std::string render(bool color, bool unicode, int max_width = 0) const;

 private:
  struct Part {
    std::string text;
    Style style;
  };
  std::vector<Part> parts_;
};

/// Parts of a display line that give way in order of their rank when the line is too narrow.
class FittedLine {
 public:
  /// Rank 0 is never dropped; of the others the highest goes first.
  void add(StyledLine text, int rank = 0);
  bool empty() const { return parts_.empty(); }
  /// Joins what fits into `max_width` columns.
  StyledLine fit(std::string_view separator, int max_width) const;

 private:
  struct Part {
    StyledLine text;
    int rank;
  };
  std::vector<Part> parts_;
};

}  // namespace llmbatch
