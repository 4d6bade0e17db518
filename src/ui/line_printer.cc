#include "llmbatch/ui/line_printer.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "llmbatch/base/fd.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

constexpr int kLastWaitMs = 1000;
constexpr std::size_t kQueueCapBytes = 256 * 1024;
constexpr int kNarrowest = 10;

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

// POSIX: the first of these that is set and not empty decides.
bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view value = environment(name);
    if (value.empty()) continue;
    return contains_ignore_case(value, "utf-8") || contains_ignore_case(value, "utf8");
  }
  return false;
}

}  // namespace

TerminalTraits detect_terminal(int fd, ColorMode color) {
  const bool tty = ::isatty(fd) == 1;
  const std::string_view term = environment("TERM");
  TerminalTraits traits;
  traits.live = tty && !term.empty() && term != "dumb";
  traits.unicode = locale_is_utf8();
  switch (color) {
    case ColorMode::always:
      traits.color = true;
      break;
    case ColorMode::never:
      break;
    case ColorMode::automatic:
      traits.color = traits.live && environment("NO_COLOR").empty();
      break;
  }
  return traits;
}

LinePrinter::LinePrinter(int fd, TerminalTraits traits) : fd_(fd), traits_(traits) {
  refresh_size();
}

LinePrinter::~LinePrinter() {
  write_out();
  if (!unsent_.empty() || !queue_.empty()) send(kLastWaitMs);
  write_out();
}

void LinePrinter::refresh_size() {
  winsize size{};
  if (!traits_.live || ::ioctl(fd_, TIOCGWINSZ, &size) != 0) return;
  if (size.ws_col > 0) columns_ = std::max<int>(kNarrowest, size.ws_col);
  if (size.ws_row > 0) rows_ = size.ws_row;
}

void LinePrinter::print(const StyledLine& line) {
  if (queue_.size() > kQueueCapBytes) {
    ++dropped_lines_;
  } else {
    queue_ += line.render(traits_.color, traits_.unicode);
    queue_ += '\n';
  }
  write_out();
}

void LinePrinter::show(std::vector<StyledLine> display) {
  if (!traits_.live) return;
  display_ = std::move(display);
  write_out();
}

void LinePrinter::keep_display() {
  send(kLastWaitMs);
  write_out();
  display_.clear();
  drawn_widths_.clear();
}

// One write per change: what was drawn is erased, the new permanent lines follow, then the display.
// The cursor always rests on a fresh line below the display, so that even after a kill -9 the shell
// prompt has a line of its own, and an echoed ^C is erased by the next change.
void LinePrinter::write_out() {
  send(0);
  if (broken_ || !unsent_.empty() || !wait_writable(0)) return;
  const bool draw = traits_.live && in_foreground();
  if (queue_.empty() && !draw) return;
  std::string& out = unsent_;
  if (draw) append_erase(out);
  drawn_widths_.clear();
  // Erases what is left of the old display, so that longer old lines do not show behind new ones.
  if (draw && !queue_.empty()) out += "\x1b[J";
  out += queue_;
  queue_.clear();
  if (dropped_lines_ > 0) {
    out += fmt::format("({} lines are lost: nothing was taken from us)\n", dropped_lines_);
    dropped_lines_ = 0;
  }
  if (draw) {
    for (const StyledLine& line : display_) {
      out += line.render(traits_.color, traits_.unicode, display_columns());
      out += "\x1b[K\n";
      drawn_widths_.push_back(std::min(line.width(), display_columns()));
    }
    if (!display_.empty()) out += "\x1b[J";
  }
  send(0);
}

// Writes of this size never wait on a pipe that is writable (POSIX: at most PIPE_BUF bytes), so a
// reader that stopped reading cannot stop the run.
void LinePrinter::send(int timeout_ms) {
  constexpr std::size_t kPieceBytes = 1024;
  std::size_t sent = 0;
  while (!broken_ && sent < unsent_.size() && wait_writable(timeout_ms)) {
    const auto piece = std::string_view(unsent_).substr(sent, kPieceBytes);
    if (!write_all(fd_, piece)) broken_ = true;
    sent += piece.size();
  }
  unsent_.erase(0, sent);
}

// After the window became narrower, a line that was drawn before may take several rows.
void LinePrinter::append_erase(std::string& out) const {
  int rows = 0;
  for (const int width : drawn_widths_) rows += std::max(1, (width + columns_ - 1) / columns_);
  if (rows > 0) out += fmt::format("\r\x1b[{}A", std::min(rows, std::max(1, rows_ - 1)));
}

bool LinePrinter::wait_writable(int timeout_ms) const {
  pollfd entry{fd_, POLLOUT, 0};
  return ::poll(&entry, 1, timeout_ms) == 1 && (entry.revents & POLLNVAL) == 0;
}

// A display drawn from the background would scribble over what the user does in the foreground.
bool LinePrinter::in_foreground() const {
  const pid_t foreground = ::tcgetpgrp(fd_);
  return foreground < 0 || foreground == ::getpgrp();
}

}  // namespace llmbatch
