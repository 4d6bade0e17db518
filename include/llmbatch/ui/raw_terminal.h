// RawTerminal: a terminal that hands over every key at once, on a screen of its own. However the
// program ends or stops (a signal, Ctrl-C, Ctrl-Z), the terminal is given back as it was. Signals
// are blocked while it lives and come as events, so that nothing happens in a handler.
// Thread rule: one per process; created before other threads are started.
#pragma once

#include <termios.h>

#include <csignal>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/fd.h"
#include "llmbatch/base/result.h"
#include "llmbatch/ui/keys.h"
#include "llmbatch/ui/line_printer.h"

namespace llmbatch {

struct TerminalEvent {
  std::vector<Key> keys;
  bool redraw = false;   ///< the window has another size, or the program was continued
  int stop_signal = 0;   ///< SIGINT, SIGTERM, SIGHUP or SIGQUIT came from outside
  bool hung_up = false;  ///< the terminal is gone
};

class RawTerminal {
 public:
  /// `traits` are those of `out`; without `live` nothing is sent that moves the cursor.
  static Result<std::unique_ptr<RawTerminal>> open(int in, int out, TerminalTraits traits);
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal();

  const TerminalTraits& traits() const { return traits_; }
  int columns() const { return columns_; }
  int rows() const { return rows_; }

  void write(std::string_view bytes);
  /// Waits for keys or a signal. SIGTSTP from outside is obeyed.
  TerminalEvent wait();
  /// What Ctrl-Z does everywhere: gives the terminal back and stops until `fg`.
  void suspend();

 private:
  RawTerminal(int in, int out, TerminalTraits traits) : in_(in), out_(out), traits_(traits) {}
  void enter();
  void leave();
  void refresh_size();
  void read_signal(TerminalEvent& event);
  void read_keys(TerminalEvent& event);

  int in_;
  int out_;
  TerminalTraits traits_;
  UniqueFd signals_;
  termios saved_{};
  sigset_t saved_mask_{};
  std::string unread_;
  int columns_ = 80;
  int rows_ = 24;
};

}  // namespace llmbatch
