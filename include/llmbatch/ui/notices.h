// The permanent lines that the monitors for people share.
#pragma once

#include <string_view>

#include "llmbatch/model/run_status.h"
#include "llmbatch/ui/styled_line.h"

namespace llmbatch {

/// `llmbatch: tickets.jsonl with gpt-4o-mini: 50,000 items, 12,000 done before`.
StyledLine start_notice(const RunStatus& status);
StyledLine status_notice(const RunStatus& status);
StyledLine pause_notice(const RunStatus& status);
StyledLine finish_notice(const RunStatus& status);
/// `warning:` and `error:` at the beginning of `text` are coloured.
StyledLine message_notice(std::string_view text);
/// True when `text` begins with `warning:` or `error:`; others are notices, left out by --quiet.
bool is_warning(std::string_view text);

}  // namespace llmbatch
