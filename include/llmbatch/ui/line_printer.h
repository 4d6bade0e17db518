// LinePrinter: the one place that knows what the descriptor is: a terminal, a dumb one, a pipe or a
// file; whether colours are wanted (NO_COLOR, no-color.org) and how wide it is. Prints permanent
// lines, and on a live terminal keeps a display of a few lines below them, redrawn in place.
// Thread rule: one thread. It does not own the descriptor. The process must ignore SIGPIPE.
#pragma once

#include <string>
#include <vector>

#include "llmbatch/ui/styled_line.h"

namespace llmbatch {

enum class ColorMode { automatic, always, never };

/// What a descriptor can show.
struct TerminalTraits {
  bool live = false;  ///< a terminal whose cursor can be moved
  bool color = false;
  bool unicode = false;  ///< the locale says UTF-8
};

/// Reads TERM, NO_COLOR and the locale variables (LC_ALL, LC_CTYPE, LANG).
TerminalTraits detect_terminal(int fd, ColorMode color);

class LinePrinter {
 public:
  LinePrinter(int fd, TerminalTraits traits);
  /// Waits up to a second for a stopped terminal to take what is still to be written.
  ~LinePrinter();
  LinePrinter(const LinePrinter&) = delete;
  LinePrinter& operator=(const LinePrinter&) = delete;

  const TerminalTraits& traits() const { return traits_; }
  /// Columns that a display line may take: one less than the terminal has, since some terminals
  /// wrap when the last column is written.
  int display_columns() const { return columns_ - 1; }
  int rows() const { return rows_; }
  /// Reads the window size again.
  void refresh_size();

  /// Prints a permanent line, above the display. When the descriptor takes nothing now (a stopped
  /// terminal, a full pipe) the line is kept and printed later, so that the caller never waits.
  void print(const StyledLine& line);
  /// Replaces the display; ignored unless the terminal is live.
  void show(std::vector<StyledLine> display);
  /// The display as last shown becomes permanent; the cursor is on a fresh line below it.
  void keep_display();

 private:
  void write_out();
  void send(int timeout_ms);
  bool wait_writable(int timeout_ms) const;
  bool in_foreground() const;
  void append_erase(std::string& out) const;

  int fd_;
  TerminalTraits traits_;
  int columns_ = 80;
  int rows_ = 24;
  bool broken_ = false;  ///< a write failed: nothing more is tried
  std::string queue_;    ///< permanent lines not yet written
  std::string unsent_;   ///< bytes of the last change that are still to be written
  int dropped_lines_ = 0;
  std::vector<StyledLine> display_;
  std::vector<int> drawn_widths_;  ///< columns of each display line now on the screen
};

}  // namespace llmbatch
