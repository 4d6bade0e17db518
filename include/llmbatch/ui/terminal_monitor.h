// TerminalMonitor: one live display of a few lines, redrawn in place at most ten times a second.
// Messages appear above it. Thread rule: that of Monitor.
#pragma once

#include <optional>

#include "llmbatch/base/clock.h"
#include "llmbatch/port/monitor.h"
#include "llmbatch/ui/line_printer.h"

namespace llmbatch {

class TerminalMonitor final : public Monitor {
 public:
  TerminalMonitor(int fd, TerminalTraits traits, const Clock& clock);

  void run_started(const RunStatus& status) override;
  void progress(const RunStatus& status) override;
  bool wants_items() const override { return false; }
  void item_finished(const ItemResult& /*result*/) override {}
  void message(std::string_view text) override;
  void status_line(const RunStatus& status) override;
  void window_changed() override;
  void run_paused(const RunStatus& status) override;
  void run_finished(const RunStatus& status) override;

 private:
  void note_results(const RunStatus& status, SteadyTime now);
  void draw(const RunStatus& status, SteadyTime now, bool over = false);

  LinePrinter printer_;
  const Clock& clock_;
  std::optional<SteadyTime> last_drawn_;
  SteadyTime last_result_{};
  std::int64_t last_finished_ = -1;
};

}  // namespace llmbatch
