// QuietMonitor: what must be said even to someone who asked for silence: pauses, warnings, errors,
// and an answer to SIGUSR1. Thread rule: that of Monitor.
#pragma once

#include "llmbatch/port/monitor.h"
#include "llmbatch/ui/line_printer.h"

namespace llmbatch {

class QuietMonitor final : public Monitor {
 public:
  /// With `notices` it also prints messages that are no warnings.
  QuietMonitor(int fd, TerminalTraits traits, bool notices);

  void run_started(const RunStatus& /*status*/) override {}
  void progress(const RunStatus& /*status*/) override {}
  bool wants_items() const override { return false; }
  void item_finished(const ItemResult& /*result*/) override {}
  void message(std::string_view text) override;
  void status_line(const RunStatus& status) override;
  void window_changed() override {}
  void run_paused(const RunStatus& status) override;
  void run_finished(const RunStatus& /*status*/) override {}

 private:
  LinePrinter printer_;
  bool notices_;
};

}  // namespace llmbatch
