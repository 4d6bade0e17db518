// Settings of `estimate` beside those of `run`.
#include "settings_rows.h"

namespace llmbatch {
namespace {

using enum ValueType;

constexpr double kLargestPilot = 100'000;

constexpr SettingSpec kRows[] = {
    {.name = "pilot",
     .type = count,
     .value_name = "N",
     .min = 2,
     .max = kLargestPilot,
     .group = "Estimate",
     .commands = kEstimate,
     .section = "",
     .set_by = SetBy::flag,
     .help = "Really run N items, drawn at random of those that are to do, and go by what they "
             "used. Their results are stored; a later run keeps them."},
};

}  // namespace

std::span<const SettingSpec> estimate_rows() { return kRows; }

}  // namespace llmbatch
