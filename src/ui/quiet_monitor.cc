#include "llmbatch/ui/quiet_monitor.h"

#include "llmbatch/ui/notices.h"

namespace llmbatch {

QuietMonitor::QuietMonitor(int fd, TerminalTraits traits, bool notices)
    : printer_(fd, traits), notices_(notices) {}

void QuietMonitor::message(std::string_view text) {
  if (notices_ || is_warning(text)) printer_.print(message_notice(text));
}

void QuietMonitor::status_line(const RunStatus& status) { printer_.print(status_notice(status)); }

void QuietMonitor::run_paused(const RunStatus& status) { printer_.print(pause_notice(status)); }

}  // namespace llmbatch
