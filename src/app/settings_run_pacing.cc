// Settings of `run` that decide how fast it sends, and what follows an error.
#include "settings_rows.h"

namespace llmbatch {
namespace {

using enum ValueType;

constexpr SettingSpec kRows[] = {
    {.name = "rpm", .type = count, .value_name = "N", .min = 1, .max = 1e9, .group = "Limits",
     .commands = kRun, .section = "run",
     .help = "Requests per minute: no 60 seconds ever hold more. Without it: what the provider's "
             "headers say."},
    {.name = "tpm", .type = count, .value_name = "N", .min = 1, .max = 1e12, .group = "Limits",
     .commands = kRun, .section = "run", .help = "Tokens per minute, input and output together."},
    {.name = "itpm", .type = count, .value_name = "N", .min = 1, .max = 1e12, .group = "Limits",
     .commands = kRun, .section = "run", .help = "Input tokens per minute."},
    {.name = "otpm", .type = count, .value_name = "N", .min = 1, .max = 1e12, .group = "Limits",
     .commands = kRun, .section = "run", .help = "Output tokens per minute."},
    {.name = "rpd", .type = count, .value_name = "N", .min = 1, .max = 1e12, .group = "Limits",
     .commands = kRun, .section = "run",
     .help = "Requests per rolling day, counted in the database. When they are used up, the run "
             "pauses with exit code 4."},
    {.name = "concurrency", .letter = 'c', .type = auto_or_integer, .value_name = "auto|N",
     .default_text = "auto", .min = 1, .max = 10000, .group = "Limits", .commands = kRun,
     .section = "run",
     .help = "Calls in flight at a time. auto starts at 8, grows while it helps, halves on "
             "overload."},
    {.name = "max-concurrency", .type = integer, .value_name = "N", .default_text = "256",
     .min = 1, .max = 10000, .group = "Limits", .commands = kRun, .section = "run",
     .help = "Ceiling of --concurrency auto."},

    {.name = "max-retries", .type = integer, .value_name = "N", .default_text = "5", .min = 0,
     .max = 1000, .group = "Errors and retries", .commands = kRun, .section = "run",
     .help = "Further attempts after errors that may pass. 0 forbids every one."},
    {.name = "retry-truncated", .type = boolean, .group = "Errors and retries", .commands = kRun,
     .section = "run", .help = "Try again when an answer stopped at the token cap."},
    {.name = "max-error-rate", .type = percent, .value_name = "PERCENT", .default_text = "5%",
     .min = 0, .max = 100, .group = "Errors and retries", .commands = kRun, .section = "run",
     .help = "Pause when more of the last 200 finished items are problems. 100% switches it off."},
    {.name = "on-error-rate", .type = choice, .choices = "pause|warn", .default_text = "pause",
     .group = "Errors and retries", .commands = kRun, .section = "run",
     .help = "What passing --max-error-rate does."},
    {.name = "retry", .type = words, .value_name = "STATES",
     .choices = "failed|filtered|flagged|invalid", .group = "Errors and retries",
     .commands = kRun, .section = "run", .set_by = SetBy::flag,
     .help = "Take items that ended in these states up again: failed,filtered,flagged,invalid."},
    {.name = "rerun", .type = choice, .choices = "changed", .group = "Errors and retries",
     .commands = kRun, .section = "run", .set_by = SetBy::flag,
     .help = "Adopt a changed model, prompt or parameter in an existing database, and run every "
             "item whose request differs."},

    {.name = "timeout", .type = duration, .value_name = "TIME", .default_text = "60",
     .min = 0.001, .max = 86400, .group = "Network", .commands = kRun, .section = "run",
     .help = "Longest time for one call, in seconds or as 90s, 2m."},
    {.name = "connect-timeout", .type = duration, .value_name = "TIME", .default_text = "10",
     .min = 0.001, .max = 86400, .group = "Network", .commands = kRun, .section = "run",
     .help = "Longest time to connect."},
    {.name = "max-response-size", .type = size, .value_name = "SIZE", .default_text = "64MiB",
     .min = 1024, .max = 4294967296.0, .group = "Network", .commands = kRun, .section = "run",
     .help = "A larger answer fails its item."},
    {.name = "drain-timeout", .type = duration, .value_name = "TIME", .default_text = "30",
     .min = 0, .max = 86400, .group = "Network", .commands = kRun, .section = "run",
     .help = "After the first Ctrl-C: how long calls in flight may take to finish."},
    {.name = "http2", .type = boolean, .group = "Network", .commands = kRun, .section = "run",
     .help = "Use HTTP/2 where the server offers it, instead of HTTP/1.1."},
    {.name = "cacert", .type = path, .value_name = "FILE", .group = "Network", .commands = kRun,
     .section = "run", .help = "Trust the certificates in this PEM file."},
    {.name = "rehearse", .type = boolean, .group = "Network", .commands = kRun, .section = "run",
     .set_by = SetBy::flag,
     .help = "Rehearse the run against a local stand-in provider: no key, no cost."},
};

}  // namespace

std::span<const SettingSpec> run_pacing_rows() { return kRows; }

}  // namespace llmbatch
