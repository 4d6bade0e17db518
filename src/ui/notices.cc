#include "llmbatch/ui/notices.h"

#include <fmt/format.h>

#include "llmbatch/base/text.h"
#include "llmbatch/model/status_text.h"

namespace llmbatch {
namespace {

constexpr std::string_view kProgram = "llmbatch: ";
constexpr std::string_view kWarning = "warning:";
constexpr std::string_view kError = "error:";

}  // namespace

StyledLine start_notice(const RunStatus& status) {
  const std::int64_t total = status.items.total();
  StyledLine line(kProgram);
  line.add(status.input.empty() || status.input == "-" ? "standard input" : status.input,
           Style::strong);
  if (!status.model.empty()) line.add(" with ").add(status.model);
  if (total > 0) {
    line.add(": " + counted(total, "item"));
    if (status.done_before > 0) {
      line.add(fmt::format(", {} done before", group_digits(status.done_before)));
    }
  }
  return line;
}

StyledLine status_notice(const RunStatus& status) {
  return StyledLine(kProgram).add(format_status_line(status));
}

StyledLine pause_notice(const RunStatus& status) {
  StyledLine line(kProgram);
  line.add("paused", Style::bad);
  if (!status.pause_reason.empty()) line.add(": ").add(status.pause_reason);
  return line;
}

StyledLine finish_notice(const RunStatus& status) {
  RunStatus last = status;
  // What the run was about to do is of no interest any more.
  last.waiting_for.clear();
  last.eta_seconds.reset();
  const bool complete = status.items.finished() == status.items.total();
  StyledLine line(kProgram);
  line.add(complete ? "finished: " : "stopped: ");
  line.add(format_status_line(last));
  const double seconds = to_seconds(status.elapsed);
  return line.add(seconds < 10 ? fmt::format(", took {:.1f}s", seconds)
                               : fmt::format(", took {}", format_span(seconds)));
}

StyledLine message_notice(std::string_view text) {
  StyledLine line(kProgram);
  for (const auto& [word, style] :
       {std::pair{kWarning, Style::warning}, std::pair{kError, Style::bad}}) {
    if (!text.starts_with(word)) continue;
    line.add(word, style);
    text.remove_prefix(word.size());
  }
  return line.add(text);
}

bool is_warning(std::string_view text) {
  return text.starts_with(kWarning) || text.starts_with(kError);
}

}  // namespace llmbatch
