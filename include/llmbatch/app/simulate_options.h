// From the settings of `simulate` to those of the simulator. Thread rule: pure function.
#pragma once

#include "llmbatch/app/settings.h"
#include "llmbatch/base/result.h"
#include "llmbatch/sim/settings.h"

namespace llmbatch {

/// Fails (usage) naming the setting whose value the simulator does not understand.
Result<sim::SimulatorSettings> make_simulator_settings(const Settings& settings);

}  // namespace llmbatch
