#include "llmbatch/report/status_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "llmbatch/base/text.h"
#include "llmbatch/model/status_text.h"

namespace llmbatch {
namespace {

constexpr double kStaleAfterSeconds = 15;
constexpr std::size_t kShownErrors = 3;
constexpr std::size_t kErrorChars = 100;
constexpr std::size_t kShownBatches = 12;

class Table {
 public:
  void row(std::string_view label, std::string_view value) {
    if (value.empty()) return;
    if (gap_) text_ += '\n';
    gap_ = false;
    text_ += fmt::format("{:<11} {}\n", label, sanitize_for_terminal(value));
  }
  /// An empty line before the next row, if one comes.
  void gap() { gap_ = true; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  bool gap_ = false;
};

std::string join(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string state_of_run(const RunStatus& status, WallTime now) {
  const double age = status.updated_at ? to_seconds(now - *status.updated_at) : 0;
  if (status.running) {
    std::string text = fmt::format("running (pid {})", status.pid);
    if (age > kStaleAfterSeconds) {
      text += fmt::format(", but silent for {}: is it stopped?", format_span(age));
    }
    return text;
  }
  std::string text = status.items.total() > 0 && status.items.finished() == status.items.total()
                         ? "complete"
                         : "not running";
  if (!status.batches.empty()) text += ", batches are open";
  if (!status.pause_reason.empty()) text = "paused: " + status.pause_reason;
  if (status.updated_at && age >= 1) text += fmt::format(", last active {} ago", format_span(age));
  return text;
}

std::string done_text(const RunStatus& status) {
  const std::int64_t total = status.items.total();
  const std::int64_t finished = status.items.finished();
  return fmt::format("{} of {} ({})", group_digits(finished), group_digits(total),
                     format_percent(finished, total));
}

std::string states_text(const RunStatus& status, std::initializer_list<ItemState> states) {
  std::vector<std::string> parts;
  for (const ItemState state : states) {
    if (status.items[state] == 0) continue;
    std::string name(to_string(state));
    std::replace(name.begin(), name.end(), '_', ' ');
    parts.push_back(group_digits(status.items[state]) + " " + name);
  }
  return join(parts);
}

std::string attempts_text(const RunStatus& status) {
  if (status.attempts == 0) return {};
  std::string text = fmt::format("{}, {} of them retries", group_digits(status.attempts),
                                 group_digits(status.retries));
  if (status.cached > 0) text += fmt::format(", {} cached", group_digits(status.cached));
  return text;
}

void add_batches(Table& table, const RunStatus& status, WallTime now) {
  const std::vector<std::string> batches = format_batches(status, now);
  const std::size_t shown = std::min(kShownBatches, batches.size());
  if (shown > 0) table.gap();
  for (std::size_t i = 0; i < shown; ++i) table.row(i == 0 ? "batches" : "", batches[i]);
  if (shown < batches.size()) table.row("", fmt::format("and {} more", batches.size() - shown));
}

void add_errors(Table& table, const RunStatus& status) {
  const std::size_t shown = std::min(kShownErrors, status.errors.size());
  if (shown > 0) table.gap();
  for (std::size_t i = 0; i < shown; ++i) {
    const ErrorTally& error = status.errors[i];
    std::string text = group_digits(error.count) + " " + error.error_class;
    if (!error.message.empty()) {
      text += ": " + truncate_chars(sanitize_for_terminal(error.message), kErrorChars);
    }
    table.row(i == 0 ? "errors" : "", text);
  }
}

}  // namespace

std::string format_status(const RunStatus& status, WallTime now) {
  Table table;
  table.row("database", status.database);
  table.row("input", status.input);
  table.row("model", status.model);
  table.row("run", state_of_run(status, now));
  table.gap();
  table.row("done", done_text(status));
  table.row("", states_text(status, {ItemState::succeeded, ItemState::filtered, ItemState::flagged,
                                     ItemState::failed, ItemState::invalid}));
  table.row("open",
            states_text(status, {ItemState::in_flight, ItemState::submitted, ItemState::pending}));
  if (status.running) {
    table.row("rate", join(format_rates(status)));
    table.row("waiting for", status.waiting_for);
    table.row("ETA", status.eta_seconds ? format_span(*status.eta_seconds) : "");
  }
  if (status.error_rate) table.row("error rate", format_share(*status.error_rate));
  add_batches(table, status, now);
  table.gap();
  table.row("attempts", attempts_text(status));
  table.row("tokens", status.attempts == 0
                          ? std::string()
                          : fmt::format("{} in, {} out", group_digits(status.usage.input),
                                        group_digits(status.usage.output)));
  table.row("cost", join(format_costs(status)));
  add_errors(table, status);
  return table.take();
}

}  // namespace llmbatch
