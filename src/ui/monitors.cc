#include "llmbatch/ui/monitors.h"

#include "llmbatch/ui/json_monitor.h"
#include "llmbatch/ui/log_monitor.h"
#include "llmbatch/ui/quiet_monitor.h"
#include "llmbatch/ui/terminal_monitor.h"

namespace llmbatch {

std::unique_ptr<Monitor> choose_monitor(const MonitorSettings& settings, int fd,
                                        const Clock& clock) {
  const TerminalTraits traits = detect_terminal(fd, settings.color);
  if (settings.progress == ProgressMode::json) {
    return std::make_unique<JsonMonitor>(fd, settings.progress_items, clock);
  }
  if (settings.quiet) return std::make_unique<QuietMonitor>(fd, traits, false);
  switch (settings.progress) {
    case ProgressMode::automatic:
    case ProgressMode::bar:
      if (traits.live) return std::make_unique<TerminalMonitor>(fd, traits, clock);
      break;
    case ProgressMode::none:
      return std::make_unique<QuietMonitor>(fd, traits, true);
    case ProgressMode::log:
    case ProgressMode::json:
      break;
  }
  return std::make_unique<LogMonitor>(fd, traits, clock);
}

}  // namespace llmbatch
