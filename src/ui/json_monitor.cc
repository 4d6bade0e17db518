#include "llmbatch/ui/json_monitor.h"

#include "llmbatch/base/fd.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

constexpr Duration kProgressInterval = std::chrono::seconds(1);
constexpr std::size_t kFlushBytes = 32 * 1024;

}  // namespace

JsonMonitor::JsonMonitor(int fd, bool items, const Clock& clock)
    : fd_(fd), items_(items), clock_(clock) {}

JsonMonitor::~JsonMonitor() { flush(); }

void JsonMonitor::run_started(const RunStatus& status) { status_event("run_started", status); }

void JsonMonitor::progress(const RunStatus& status) {
  const SteadyTime now = clock_.now();
  if (last_progress_ && now - *last_progress_ < kProgressInterval) {
    flush();
    return;
  }
  last_progress_ = now;
  status_event("progress", status);
}

void JsonMonitor::item_finished(const ItemResult& result) {
  if (!items_ || broken_) return;
  begin_event("item_finished");
  append_json_members(buffer_, result);
  buffer_ += "}\n";
  if (buffer_.size() >= kFlushBytes) flush();
}

void JsonMonitor::message(std::string_view text) {
  begin_event("message");
  buffer_ += "\"message\":";
  append_json_string(buffer_, text);
  buffer_ += "}\n";
  flush();
}

void JsonMonitor::status_line(const RunStatus& status) { status_event("progress", status); }

void JsonMonitor::run_paused(const RunStatus& status) { status_event("run_paused", status); }

void JsonMonitor::run_finished(const RunStatus& status) { status_event("run_finished", status); }

void JsonMonitor::begin_event(std::string_view type) {
  buffer_ += R"({"type":")";
  buffer_ += type;
  buffer_ += R"(","time":")";
  buffer_ += format_rfc3339(clock_.wall_now());
  buffer_ += "\",";
}

void JsonMonitor::status_event(std::string_view type, const RunStatus& status) {
  begin_event(type);
  buffer_ += to_json_members(status);
  buffer_ += "}\n";
  flush();
}

void JsonMonitor::flush() {
  if (!buffer_.empty() && !broken_ && !write_all(fd_, buffer_)) broken_ = true;
  buffer_.clear();
}

}  // namespace llmbatch
