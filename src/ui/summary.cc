#include "llmbatch/ui/summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "llmbatch/base/text.h"
#include "llmbatch/model/batch_record.h"
#include "llmbatch/model/status_text.h"

namespace llmbatch {
namespace {

constexpr int kExitDone = 0;
constexpr int kExitProblems = 3;
constexpr int kExitPaused = 4;
constexpr int kExitBatchesOpen = 6;
constexpr std::size_t kShownErrors = 3;
constexpr std::size_t kErrorChars = 120;
constexpr std::size_t kShownBatches = 5;
constexpr std::size_t kLabelWidth = 11;

StyledLine row(std::string_view label, std::string_view value, Style style = Style::plain) {
  StyledLine line;
  line.add(fmt::format("  {:<{}} ", label, kLabelWidth), Style::dim);
  return line.add(value, style);
}

/// Batches whose request file the user has: only its results bring their answers.
std::size_t written_batches(const RunStatus& status) {
  const auto written = to_string(BatchStage::written);
  return static_cast<std::size_t>(
      std::count_if(status.batches.begin(), status.batches.end(),
                    [&](const BatchProgress& batch) { return batch.state == written; }));
}

std::string open_batches(const RunStatus& status) {
  const std::size_t count = status.batches.size();
  if (count > 0 && written_batches(status) == count) {
    return count == 1 ? "1 batch waits for its result file"
                      : fmt::format("{} batches wait for their result files", count);
  }
  if (count == 1) return "1 provider batch is still in progress";
  // Of items that an earlier run submitted only their number may be known.
  if (count == 0) return "provider batches are still in progress";
  return fmt::format("{} provider batches are still in progress", count);
}

StyledLine headline(const RunStatus& status, int exit_code) {
  const std::int64_t total = status.items.total();
  const std::string done =
      fmt::format("{} of {} done", group_digits(status.items.finished()), counted(total, "item"));
  StyledLine line("llmbatch: ");
  switch (exit_code) {
    case kExitDone:
      line.add(status.finished_this_run == 0 && status.done_before > 0 ? "nothing to do" : "done",
               Style::good);
      return line.add(total == 0 ? std::string(", no items in the input")
                                 : fmt::format(", all {} succeeded", counted(total, "item")));
    case kExitProblems:
      line.add("finished", Style::warning);
      return line.add(fmt::format(", {} of {} {} a look", group_digits(status.items.problems()),
                                  counted(total, "item"),
                                  status.items.problems() == 1 ? "needs" : "need"));
    case kExitPaused:
      line.add("paused", Style::bad).add(", " + done);
      // What the provider has lost is for the user to decide about.
      if (status.pause_reason.find("batches forget") != std::string::npos) return line;
      return line.add(", nothing is lost");
    case kExitBatchesOpen:
      return line.add(open_batches(status), Style::warning).add(", " + done);
    default:
      // 128 and the signal.
      if (exit_code > 128) {
        return line.add("interrupted", Style::warning).add(", " + done + ", nothing is lost");
      }
      return line.add("stopped by an error", Style::bad).add(", " + done);
  }
}

Style style_of(ItemState state) {
  switch (state) {
    case ItemState::succeeded:
      return Style::good;
    case ItemState::filtered:
    case ItemState::flagged:
      return Style::warning;
    case ItemState::failed:
    case ItemState::invalid:
      return Style::bad;
    case ItemState::pending:
    case ItemState::in_flight:
    case ItemState::submitted:
      return Style::plain;
  }
  return Style::plain;
}

void add_states(std::vector<StyledLine>& lines, const RunStatus& status) {
  const std::int64_t total = status.items.total();
  const std::size_t digits = group_digits(total).size();
  for (const ItemState state :
       {ItemState::succeeded, ItemState::filtered, ItemState::flagged, ItemState::failed,
        ItemState::invalid, ItemState::submitted, ItemState::in_flight, ItemState::pending}) {
    const std::int64_t count = status.items[state];
    if (count == 0 && state != ItemState::succeeded) continue;
    std::string share = format_percent(count, total);
    if (count > 0 && share == "0.0 %") share = "<0.1 %";
    std::string name(to_string(state));
    std::replace(name.begin(), name.end(), '_', ' ');
    StyledLine line = row(name, fmt::format("{:>{}}", group_digits(count), digits),
                          count > 0 ? style_of(state) : Style::plain);
    lines.push_back(line.add(fmt::format("  {:>7}", share)));
  }
}

std::string cost_text(const RunStatus& status, const SummaryHints& hints) {
  if (!status.spent) {
    std::string text = "unknown";
    if (status.known_cost > Money()) text += ", at least " + status.known_cost.to_display();
    return hints.price_note.empty() ? text : text + " (" + hints.price_note + ")";
  }
  std::string text = status.spent->to_display();
  if (status.usage.estimated) text += " (partly estimated)";
  if (status.per_item) text += ", " + status.per_item->to_display() + " per item";
  const std::int64_t done = status.items.finished();
  if (done > 0 && status.items.total() > done && status.projected) {
    text += ", about " + status.projected->to_display() + " for all items";
  }
  if (status.saved && *status.saved > Money()) {
    text += ", " + status.saved->to_display() + " saved by the cache";
  }
  return text;
}

std::string tokens_text(const Usage& usage) {
  std::string text = group_digits(usage.input) + " in";
  if (usage.cached_input > 0) {
    text += fmt::format(" ({} of it cached)", format_percent(usage.cached_input, usage.input));
  }
  text += ", " + group_digits(usage.output) + " out";
  if (usage.estimated) text += ", partly estimated";
  return text;
}

/// How much of what was asked did not have to be called for, and what that left unpaid.
std::string cached_text(const RunStatus& status) {
  const std::int64_t asked = status.cached + status.attempts - status.retries;
  std::string text = fmt::format("{} ({}) answered without a call", counted(status.cached, "item"),
                                 format_percent(status.cached, asked));
  const TokenCount tokens = status.reuse.input + status.reuse.output;
  if (tokens > 0) text += fmt::format(", {} tokens saved", group_digits(tokens));
  return text;
}

void add_figures(std::vector<StyledLine>& lines, const RunStatus& status,
                 const SummaryHints& hints) {
  if (status.duplicates > 0) {
    lines.push_back(row("duplicates", group_digits(status.duplicates) + " equal lines left out"));
  }
  if (status.cached > 0) {
    lines.push_back(row("cached", cached_text(status)));
  }
  if (status.attempts > 0) {
    lines.push_back(row("retries", fmt::format("{} in {} attempts", group_digits(status.retries),
                                               group_digits(status.attempts))));
    lines.push_back(row("tokens", tokens_text(status.usage)));
    lines.push_back(row("cost", cost_text(status, hints), Style::strong));
  }
  const double seconds = to_seconds(status.elapsed);
  if (status.finished_this_run == 0 || seconds <= 0) return;
  // A batch may have worked for hours before this run, which took its answers within a second.
  if (status.collected_this_run > 0) return lines.push_back(row("duration", format_span(seconds)));
  const double per_minute = static_cast<double>(status.finished_this_run) / seconds * 60;
  const bool fast = per_minute >= 600;
  const double rate = fast ? per_minute / 60 : per_minute;
  lines.push_back(row(
      "duration", format_span(seconds) + fmt::format(", {} items/{} on average",
                                                     format_compact(rate), fast ? "s" : "min")));
}

void add_batches(std::vector<StyledLine>& lines, const RunStatus& status) {
  if (status.batches.empty()) return;
  const auto batches = format_batches(status, status.updated_at.value_or(WallTime{}));
  const std::size_t shown = std::min(kShownBatches, batches.size());
  lines.emplace_back();
  for (std::size_t i = 0; i < shown; ++i) lines.push_back(row(i == 0 ? "batches" : "", batches[i]));
  if (shown < batches.size()) {
    lines.push_back(row("", fmt::format("and {} more", batches.size() - shown)));
  }
}

void add_errors(std::vector<StyledLine>& lines, const RunStatus& status) {
  if (status.errors.empty() || status.items.problems() == 0) return;
  lines.emplace_back();
  std::string_view label = "errors";
  const std::size_t shown = std::min(kShownErrors, status.errors.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const ErrorTally& error = status.errors[i];
    StyledLine line = row(label, group_digits(error.count) + " " + error.error_class, Style::bad);
    if (!error.message.empty()) {
      line.add(": " + truncate_chars(sanitize_for_terminal(error.message), kErrorChars));
    }
    lines.push_back(line);
    label = "";
  }
  if (status.errors.size() > shown) {
    lines.push_back(row("", fmt::format("and {} other kinds", status.errors.size() - shown)));
  }
}

struct NextStep {
  std::string command;
  std::string purpose;
};

std::string resume_purpose(const RunStatus& status, int exit_code) {
  const bool batches = !status.batches.empty();
  if (exit_code == kExitBatchesOpen) {
    return status.batches.size() == 1 ? "collects the batch" : "collects the batches";
  }
  // The limit holds for all runs of the job: the same one stops the next at once.
  if (status.pause_reason.starts_with("--max-cost")) {
    return "goes on from here, with a higher --max-cost";
  }
  return batches ? "goes on from here, and collects the batches" : "goes on from here";
}

std::vector<NextStep> next_steps(const RunStatus& status, const SummaryHints& hints) {
  const std::string database = shell_quote(status.database);
  const NextStep export_results{"llmbatch export " + database, ""};
  if (hints.exit_code == kExitDone) return {export_results};
  if (hints.exit_code != kExitProblems) {
    const std::size_t written = written_batches(status);
    std::vector<NextStep> steps;
    if (hints.exit_code != kExitBatchesOpen || written == 0 || written < status.batches.size()) {
      steps.push_back({hints.resume_command, resume_purpose(status, hints.exit_code)});
    }
    if (written > 0) {
      steps.push_back(
          {"llmbatch batches read RESULTS.jsonl --db " + database, "stores their answers"});
    }
    return steps;
  }
  std::vector<NextStep> steps{
      {export_results.command, "all results"},
      {export_results.command + " --state filtered,flagged,failed,invalid", "the problems"}};
  std::string retried;
  for (const ItemState state : {ItemState::failed, ItemState::flagged}) {
    if (status.items[state] == 0) continue;
    retried += (retried.empty() ? "" : ",") + std::string(to_string(state));
  }
  if (!retried.empty()) {
    steps.push_back({hints.resume_command + " --retry " + retried, "tries them again"});
  } else if (status.items[ItemState::invalid] > 0) {
    steps.push_back({hints.resume_command, "after mending the invalid lines"});
  }
  return steps;
}

void add_next_steps(std::vector<StyledLine>& lines, const RunStatus& status,
                    const SummaryHints& hints) {
  if (status.database.empty()) return;  // a rehearsal keeps nothing
  lines.emplace_back();
  lines.push_back(row("database", status.database));
  std::string_view label = "next";
  const auto steps = next_steps(status, hints);
  for (const NextStep& step : steps) {
    if (step.command.empty()) continue;
    StyledLine line = row(label, step.command, Style::accent);
    if (!step.purpose.empty()) line.add("  # " + step.purpose, Style::dim);
    lines.push_back(line);
    label = "";
  }
}

}  // namespace

std::string shell_quote(std::string_view text) {
  constexpr std::string_view kSafe =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:=@%+";
  if (!text.empty() && text.find_first_not_of(kSafe) == std::string_view::npos) {
    return std::string(text);
  }
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::vector<StyledLine> format_summary(const RunStatus& status, const SummaryHints& hints) {
  std::vector<StyledLine> lines{headline(status, hints.exit_code), StyledLine()};
  add_states(lines, status);
  lines.emplace_back();
  const std::size_t before_figures = lines.size();
  add_figures(lines, status, hints);
  if (lines.size() == before_figures) lines.pop_back();
  add_batches(lines, status);
  add_errors(lines, status);
  add_next_steps(lines, status, hints);
  return lines;
}

void print_summary(LinePrinter& printer, const RunStatus& status, const SummaryHints& hints) {
  for (const StyledLine& line : format_summary(status, hints)) printer.print(line);
}

}  // namespace llmbatch
