// Interrupts: what the user or the system asked of a running process by signals.
// Thread rule: polled by the loop thread only.
#pragma once

namespace llmbatch {

struct InterruptState {
  int stop_requests = 0;          ///< SIGINT and SIGTERM so far: 1 drains, 2 aborts
  int stop_signal = 0;            ///< the first of them; exit code is 128 + this
  bool status_requested = false;  ///< SIGUSR1 since the last poll
  bool window_changed = false;    ///< SIGWINCH since the last poll
};

class Interrupts {
 public:
  virtual ~Interrupts() = default;
  virtual InterruptState poll() = 0;
  /// Readable when poll() has news; -1 when there is none to watch.
  virtual int fd() const = 0;
};

}  // namespace llmbatch
