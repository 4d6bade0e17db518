// Monitor: what the user sees of a run. Thread rule: called by the loop thread only; never blocks
// for long, never fails the run.
#pragma once

#include <string>
#include <string_view>

#include "llmbatch/model/item_result.h"
#include "llmbatch/model/run_status.h"

namespace llmbatch {

class Monitor {
 public:
  virtual ~Monitor() = default;
  virtual void run_started(const RunStatus& status) = 0;
  /// Called often (up to 10 times a second); the monitor decides what to show when.
  virtual void progress(const RunStatus& status) = 0;
  /// True when item_finished() is wanted at all; building its argument costs time.
  virtual bool wants_items() const = 0;
  virtual void item_finished(const ItemResult& result) = 0;
  /// A warning or notice that must not get lost under a live display.
  virtual void message(std::string_view text) = 0;
  /// SIGUSR1: print one status line now.
  virtual void status_line(const RunStatus& status) = 0;
  virtual void window_changed() = 0;
  virtual void run_paused(const RunStatus& status) = 0;
  virtual void run_finished(const RunStatus& status) = 0;
};

}  // namespace llmbatch
