// Settings of `run` that decide what is shown and written, and those it shares with other commands.
#include "settings_rows.h"

namespace llmbatch {
namespace {

using enum ValueType;

constexpr SettingSpec kRows[] = {
    {.name = "db",
     .type = path,
     .value_name = "PATH",
     .group = "Output",
     .commands = kRun | kStatus | kExport | kReview | kReport,
     .section = "run",
     .help = "Database of the job. Without it, run takes INPUT.llmbatch.db (input from stdin needs "
             "one), the other commands the only *.llmbatch.db of the directory."},
    {.name = "quiet",
     .letter = 'q',
     .type = boolean,
     .group = "Output",
     .commands = kRun,
     .section = "run",
     .help = "No progress and no summary; warnings and errors only."},
    {.name = "progress",
     .type = choice,
     .choices = "auto|bar|log|json|none",
     .default_text = "auto",
     .group = "Output",
     .commands = kRun,
     .section = "run",
     .help = "What stderr shows: a live display, log lines, one JSON object per event, nothing. "
             "auto is the display on a terminal, else log lines."},
    {.name = "progress-items",
     .type = boolean,
     .group = "Output",
     .commands = kRun,
     .section = "run",
     .help = "With --progress json: an item_finished event for every item."},
    {.name = "log-file",
     .type = path,
     .value_name = "FILE",
     .group = "Output",
     .commands = kRun,
     .section = "run",
     .help = "Append the log to this file."},
    {.name = "log-format",
     .type = choice,
     .choices = "text|json",
     .default_text = "text",
     .group = "Output",
     .commands = kRun,
     .section = "run",
     .help = "Form of log lines."},
    {.name = "color",
     .type = choice,
     .choices = "auto|always|never",
     .default_text = "auto",
     .group = "Output",
     .commands = kRun | kStatus | kReview,
     .section = "",
     .help = "Colours on a terminal. auto respects NO_COLOR and TERM=dumb."},
    {.name = "config",
     .type = path,
     .value_name = "FILE",
     .group = "Configuration",
     .commands = kRun | kStatus | kExport | kModels | kReview | kReport | kSimulate | kConfigShow,
     .section = "",
     .set_by = SetBy::flag_and_environment,
     .help = "Read this configuration file only, not ./llmbatch.toml and the user's config.toml."},
};

}  // namespace

std::span<const SettingSpec> run_output_rows() { return kRows; }

}  // namespace llmbatch
