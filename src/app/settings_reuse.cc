// Settings of `run` about answers that need not be paid for again.
#include "settings_rows.h"

namespace llmbatch {
namespace {

using enum ValueType;

constexpr SettingSpec kRows[] = {
    {.name = "no-cache",
     .type = boolean,
     .group = "Cost",
     .commands = kRun,
     .section = "run",
     .help = "Make a call for every item, also for requests that are identical to another one of "
             "the input or of an earlier run (which are otherwise paid once)."},
    {.name = "cache",
     .type = path,
     .value_name = "FILE",
     .group = "Cost",
     .commands = kRun,
     .section = "run",
     .help =
         "Share answers with other jobs: look here before a call, add what calls bring. Created "
         "when it is missing; several runs may use it at once."},
    {.name = "prompt-cache",
     .type = boolean,
     .group = "Cost",
     .commands = kRun,
     .section = "run",
     .help = "Mark what all requests begin with for the provider's prompt cache (Anthropic), and "
             "send one request before the others, so that it is written once."},
};

}  // namespace

std::span<const SettingSpec> run_reuse_rows() { return kRows; }

}  // namespace llmbatch
