// Settings of `status`, `export`, `report` and `config show`.
#include "settings_rows.h"

namespace llmbatch {
namespace {

using enum ValueType;

constexpr SettingSpec kRows[] = {
    {.name = "json",
     .type = boolean,
     .group = "Output",
     .commands = kStatus | kEstimate | kModels | kConfigShow,
     .section = "",
     .set_by = SetBy::flag,
     .help = "Print one JSON object."},
    {.name = "watch",
     .letter = 'w',
     .type = boolean,
     .group = "Output",
     .commands = kStatus,
     .section = "",
     .set_by = SetBy::flag,
     .help = "Print it again every second, until the run has ended."},

    {.name = "format",
     .letter = 'f',
     .type = choice,
     .choices = "jsonl|csv",
     .default_text = "jsonl",
     .group = "Output",
     .commands = kExport,
     .section = "export",
     .help = "One JSON object per line, or CSV with the same names, flattened with dots."},
    {.name = "output",
     .letter = 'o',
     .type = path,
     .value_name = "FILE",
     .default_text = "-",
     .group = "Output",
     .commands = kExport | kReport,
     .section = "export",
     .set_by = SetBy::flag,
     .help = "Write to this file. - is stdout."},
    {.name = "csv-safe",
     .type = boolean,
     .group = "Output",
     .commands = kExport | kReview,
     .section = "export",
     .help = "Guard CSV cells that a spreadsheet would take for a formula (= + - @) with a quote."},
    {.name = "state",
     .type = words,
     .value_name = "STATES",
     .choices = "succeeded|filtered|flagged|failed|invalid|pending|in_flight|submitted",
     .group = "Selection",
     .commands = kExport,
     .section = "export",
     .help = "Only items in these states, comma-separated: succeeded, filtered, flagged, failed, "
             "invalid, pending. "
             "Without it: every item with a final state."},
    {.name = "fields",
     .type = words,
     .value_name = "NAMES",
     .group = "Selection",
     .commands = kExport,
     .section = "export",
     .help = "Only these fields: id,state,output,..."},
    {.name = "with",
     .type = words,
     .value_name = "LIST",
     .choices = "input|request|response",
     .group = "Selection",
     .commands = kExport,
     .section = "export",
     .help = "Add the original line (input), the body that is sent for it (request), the raw "
             "answer (response)."},
    {.name = "input",
     .type = path,
     .value_name = "PATH",
     .group = "Selection",
     .commands = kExport,
     .section = "export",
     .set_by = SetBy::flag,
     .help = "Where the input file is now, if it was moved."},
};

}  // namespace

std::span<const SettingSpec> other_rows() { return kRows; }

}  // namespace llmbatch
