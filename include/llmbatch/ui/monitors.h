// The monitors a run can have (`--progress`, `--quiet`), and the choice among them. All of them
// write to one descriptor, normally stderr, and never to stdout. Thread rule: that of Monitor.
#pragma once

#include <memory>

#include "llmbatch/base/clock.h"
#include "llmbatch/port/monitor.h"
#include "llmbatch/ui/line_printer.h"

namespace llmbatch {

enum class ProgressMode {
  automatic,  ///< bar on a terminal, else log lines
  bar,        ///< log lines where no cursor can be moved
  log,
  json,
  none,  ///< messages, warnings and pauses only
};

struct MonitorSettings {
  ProgressMode progress = ProgressMode::automatic;
  bool quiet = false;           ///< warnings, errors and pauses only; `json` stays what it is
  bool progress_items = false;  ///< json: an event per item
  ColorMode color = ColorMode::automatic;
};

/// `clock` must outlive the monitor; `fd` must stay open as long.
std::unique_ptr<Monitor> choose_monitor(const MonitorSettings& settings, int fd,
                                        const Clock& clock);

}  // namespace llmbatch
