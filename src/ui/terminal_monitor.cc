#include "llmbatch/ui/terminal_monitor.h"

#include "llmbatch/model/status_text.h"
#include "llmbatch/ui/display.h"
#include "llmbatch/ui/notices.h"

namespace llmbatch {
namespace {

constexpr Duration kRedrawInterval = std::chrono::milliseconds(100);

}  // namespace

TerminalMonitor::TerminalMonitor(int fd, TerminalTraits traits, const Clock& clock)
    : printer_(fd, traits), clock_(clock) {}

void TerminalMonitor::run_started(const RunStatus& status) {
  printer_.print(start_notice(status));
  const SteadyTime now = clock_.now();
  note_results(status, now);
  draw(status, now);
}

void TerminalMonitor::progress(const RunStatus& status) {
  const SteadyTime now = clock_.now();
  note_results(status, now);
  if (last_drawn_ && now - *last_drawn_ < kRedrawInterval) return;
  draw(status, now);
}

void TerminalMonitor::message(std::string_view text) { printer_.print(message_notice(text)); }

void TerminalMonitor::status_line(const RunStatus& status) {
  printer_.print(status_notice(status));
}

void TerminalMonitor::window_changed() {
  printer_.refresh_size();
  last_drawn_.reset();
}

void TerminalMonitor::run_paused(const RunStatus& status) {
  draw(status, clock_.now(), true);
  printer_.keep_display();
  printer_.print(pause_notice(status));
}

void TerminalMonitor::run_finished(const RunStatus& status) {
  draw(status, clock_.now(), true);
  printer_.keep_display();
}

void TerminalMonitor::note_results(const RunStatus& status, SteadyTime now) {
  // While nothing is in flight nothing can be answered: the silence starts with the next call.
  if (status.items.finished() == last_finished_ && status.items[ItemState::in_flight] > 0) return;
  last_finished_ = status.items.finished();
  last_result_ = now;
}

void TerminalMonitor::draw(const RunStatus& status, SteadyTime now, bool over) {
  last_drawn_ = now;
  DisplayContext context;
  context.columns = printer_.display_columns();
  context.rows = printer_.rows();
  context.unicode = printer_.traits().unicode;
  context.since_last_result = now - last_result_;
  context.wall_now = clock_.wall_now();
  context.over = over;
  printer_.show(render_display(status, context));
}

}  // namespace llmbatch
