// Settings of `run` that decide whether and how it goes through the provider's Batch API.
#include "settings_rows.h"

namespace llmbatch {
namespace {

using enum ValueType;

constexpr SettingSpec kRows[] = {
    {.name = "via",
     .type = choice,
     .choices = "realtime|batch|auto",
     .default_text = "realtime",
     .group = "Provider batches",
     .commands = kRunAlone,
     .section = "run",
     .help = "batch: through the provider's Batch API, at its lower price, within a day. auto: so "
             "where the provider has one and --finish-by leaves time for it."},
    {.name = "no-wait",
     .type = boolean,
     .group = "Provider batches",
     .commands = kRunAlone,
     .section = "run",
     .help = "Submit what is new, collect what is ready, and end: exit code 6 while batches are in "
             "progress. For cron."},
    {.name = "then",
     .type = choice,
     .choices = "batch|realtime",
     .default_text = "batch",
     .group = "Provider batches",
     .commands = kRunAlone,
     .section = "run",
     .help = "What comes back from a batch without an answer goes into the next one, or is called "
             "for in the same run."},
    {.name = "finish-by",
     .type = text,
     .value_name = "TIME",
     .group = "Provider batches",
     .commands = kRunAlone,
     .section = "run",
     .set_by = SetBy::flag_and_environment,
     .help = "Be done by 07:00 (the next one, local time) or 2026-12-01T07:00:00Z: batches that "
             "would be too late are cancelled, and the rest is called for."},
    {.name = "batch-size",
     .type = count,
     .value_name = "N",
     .min = 1,
     .max = 1e7,
     .group = "Provider batches",
     .commands = kRunAlone,
     .section = "run",
     .help = "Requests of one batch. Without it: as many as the provider takes."},
    {.name = "poll-interval",
     .type = duration,
     .value_name = "TIME",
     .default_text = "30",
     .min = 0.05,
     .max = 86400,
     .group = "Provider batches",
     .commands = kRunAlone,
     .section = "run",
     .help = "Time between looks at a batch; up to four times as much while nothing changes."},
    {.name = "cancel-on-interrupt",
     .type = boolean,
     .group = "Provider batches",
     .commands = kRunAlone,
     .section = "run",
     .help = "Ctrl-C cancels the batches. Without it they go on at the provider."},
};

}  // namespace

std::span<const SettingSpec> run_batch_rows() { return kRows; }

}  // namespace llmbatch
