// LogMonitor: plain lines for logs, cron and CI. One per 100 finished items or per minute,
// whichever comes first, and never more than one a second. Thread rule: that of Monitor.
#pragma once

#include <cstdint>

#include "llmbatch/base/clock.h"
#include "llmbatch/port/monitor.h"
#include "llmbatch/ui/line_printer.h"

namespace llmbatch {

class LogMonitor final : public Monitor {
 public:
  LogMonitor(int fd, TerminalTraits traits, const Clock& clock);

  void run_started(const RunStatus& status) override;
  void progress(const RunStatus& status) override;
  bool wants_items() const override { return false; }
  void item_finished(const ItemResult& /*result*/) override {}
  void message(std::string_view text) override;
  void status_line(const RunStatus& status) override;
  void window_changed() override {}
  void run_paused(const RunStatus& status) override;
  void run_finished(const RunStatus& status) override;

 private:
  void mark(const RunStatus& status);

  LinePrinter printer_;
  const Clock& clock_;
  SteadyTime last_line_{};
  std::int64_t last_finished_ = 0;
};

}  // namespace llmbatch
