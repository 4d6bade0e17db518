#include "llmbatch/ui/log_monitor.h"

#include "llmbatch/ui/notices.h"

namespace llmbatch {
namespace {

constexpr std::int64_t kItemsPerLine = 100;
constexpr Duration kLongestSilence = std::chrono::minutes(1);
constexpr Duration kShortestInterval = std::chrono::seconds(1);

}  // namespace

LogMonitor::LogMonitor(int fd, TerminalTraits traits, const Clock& clock)
    : printer_(fd, traits), clock_(clock) {}

void LogMonitor::run_started(const RunStatus& status) {
  mark(status);
  printer_.print(start_notice(status));
}

void LogMonitor::progress(const RunStatus& status) {
  const Duration silence = clock_.now() - last_line_;
  const std::int64_t news = status.items.finished() - last_finished_;
  if (silence < kShortestInterval) return;
  if (news < kItemsPerLine && silence < kLongestSilence) return;
  mark(status);
  printer_.print(status_notice(status));
}

void LogMonitor::message(std::string_view text) { printer_.print(message_notice(text)); }

void LogMonitor::status_line(const RunStatus& status) {
  mark(status);
  printer_.print(status_notice(status));
}

void LogMonitor::run_paused(const RunStatus& status) { printer_.print(pause_notice(status)); }

void LogMonitor::run_finished(const RunStatus& status) { printer_.print(finish_notice(status)); }

void LogMonitor::mark(const RunStatus& status) {
  last_line_ = clock_.now();
  last_finished_ = status.items.finished();
}

}  // namespace llmbatch
