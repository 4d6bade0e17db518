// From the options of a run to those of its display. Thread rule: pure functions.
#pragma once

#include "llmbatch/app/run_options.h"
#include "llmbatch/ui/monitors.h"

namespace llmbatch {

ProgressMode progress_mode(ProgressStyle style);
ColorMode color_mode(ColorChoice choice);

}  // namespace llmbatch
