// SignalInterrupts: SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGWINCH read through a signalfd, so that
// no handler code ever runs. Thread rule: block_signals() in main before any thread starts (threads
// inherit the mask); an object belongs to the loop thread.
#pragma once

#include <memory>

#include "llmbatch/base/fd.h"
#include "llmbatch/base/result.h"
#include "llmbatch/port/interrupts.h"

namespace llmbatch {

class SignalInterrupts final : public Interrupts {
 public:
  /// Blocks the signals above and ignores SIGPIPE (TLS libraries write to closed sockets). A SIGINT
  /// or SIGHUP that was ignored at start (a job of a non-interactive shell, nohup) stays ignored.
  static void block_signals();

  /// Undoes the blocking for a program that is to be executed in this process's place or as child.
  static void unblock_signals();

  static Result<std::unique_ptr<SignalInterrupts>> create();

  /// SIGHUP counts as a request to stop: the terminal is gone, what is in flight is stored.
  InterruptState poll() override;
  int fd() const override { return signals_.get(); }

 private:
  explicit SignalInterrupts(UniqueFd signals) : signals_(std::move(signals)) {}

  UniqueFd signals_;
  InterruptState state_;
};

}  // namespace llmbatch
