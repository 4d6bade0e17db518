// JsonMonitor: `--progress json`, one object per line. `type` is run_started, progress,
// item_finished, message, run_paused or run_finished; each has `time`, and the members of `status
// --json` or of the item. Unlike the displays it waits for a slow reader: no event is ever left
// out. Thread rule: that of Monitor.
#pragma once

#include <optional>
#include <string>

#include "llmbatch/base/clock.h"
#include "llmbatch/port/monitor.h"

namespace llmbatch {

class JsonMonitor final : public Monitor {
 public:
  /// `progress` events come at most once a second; with `items` each item is an event.
  JsonMonitor(int fd, bool items, const Clock& clock);
  ~JsonMonitor() override;

  void run_started(const RunStatus& status) override;
  void progress(const RunStatus& status) override;
  bool wants_items() const override { return items_; }
  void item_finished(const ItemResult& result) override;
  void message(std::string_view text) override;
  void status_line(const RunStatus& status) override;
  void window_changed() override {}
  void run_paused(const RunStatus& status) override;
  void run_finished(const RunStatus& status) override;

 private:
  void begin_event(std::string_view type);
  void status_event(std::string_view type, const RunStatus& status);
  void flush();

  int fd_;
  bool items_;
  const Clock& clock_;
  bool broken_ = false;  ///< a write failed: nothing more is tried
  std::string buffer_;   ///< item events, written together with the next progress
  std::optional<SteadyTime> last_progress_;
};

}  // namespace llmbatch
