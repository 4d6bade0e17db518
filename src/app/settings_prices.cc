// Settings that decide what tokens cost.
#include "settings_rows.h"

namespace llmbatch {
namespace {

using enum ValueType;

constexpr double kDearest = 1'000'000;

constexpr SettingSpec kRows[] = {
    {.name = "max-cost",
     .type = money,
     .value_name = "USD",
     .min = 0,
     .max = kDearest,
     .group = "Cost",
     .commands = kRun,
     .section = "run",
     .help = "What the job may cost in this database, all runs together. Before a call would pass "
             "it, the run pauses with exit code 4. Needs known prices."},
    {.name = "max-items",
     .type = count,
     .value_name = "N",
     .min = 1,
     .max = 1e15,
     .group = "Cost",
     .commands = kRun,
     .section = "run",
     .help = "Take up at most this many items in this run, then end with exit code 4 if more are "
             "left."},
    {.name = "max-duration",
     .type = duration,
     .value_name = "TIME",
     .min = 0.001,
     .max = 1e9,
     .group = "Cost",
     .commands = kRun,
     .section = "run",
     .help = "Send nothing new after this time (2h, 90m), let what is in flight end, and exit with "
             "code 4 if more is left."},
    {.name = "price-file",
     .type = path,
     .value_name = "FILE",
     .group = "Cost",
     .commands = kRun | kModels,
     .section = "",
     .help = "Prices that replace or add to the shipped ones, in the form of data/prices.json: "
             "{\"models\": [{\"provider\", \"id\", \"input\", \"output\", ...}]}, USD per million "
             "tokens. See llmbatch models."},
    {.name = "price-input",
     .type = money,
     .value_name = "USD",
     .min = 0,
     .max = kDearest,
     .group = "Cost",
     .commands = kRun,
     .section = "run",
     .help = "Price of a million input tokens of the job's model (without --model, of every "
             "model). Takes the place of the table's, without its tiers."},
    {.name = "price-output",
     .type = money,
     .value_name = "USD",
     .min = 0,
     .max = kDearest,
     .group = "Cost",
     .commands = kRun,
     .section = "run",
     .help = "Price of a million output tokens, likewise."},
    {.name = "price-cached-input",
     .type = money,
     .value_name = "USD",
     .min = 0,
     .max = kDearest,
     .group = "Cost",
     .commands = kRun,
     .section = "run",
     .help = "Price of a million input tokens that the provider took from its prompt cache. "
             "Without it they cost what --price-input says."},
};

}  // namespace

std::span<const SettingSpec> price_rows() { return kRows; }

}  // namespace llmbatch
