// The end of a run on one screen: what came out, what it cost, where it is, what to type next.
// Thread rule: none, plain functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/model/run_status.h"
#include "llmbatch/ui/line_printer.h"

namespace llmbatch {

struct SummaryHints {
  /// The command of this run without --retry, quoted for a shell.
  std::string resume_command;
  int exit_code = 0;       ///< that of the process
  std::string price_note;  ///< why the cost is unknown, as far as it is; may be empty
};

/// `text` as one word of a POSIX shell.
std::string shell_quote(std::string_view text);

std::vector<StyledLine> format_summary(const RunStatus& status, const SummaryHints& hints);

/// Prints it through `printer`, above its display if there is one.
void print_summary(LinePrinter& printer, const RunStatus& status, const SummaryHints& hints);

}  // namespace llmbatch
