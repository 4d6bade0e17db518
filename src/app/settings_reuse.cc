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
};

}  // namespace

std::span<const SettingSpec> run_reuse_rows() { return kRows; }

}  // namespace llmbatch
