// The text of `llmbatch status`: one aligned screen for people. The JSON form is to_json of
// RunStatus. Thread rule: none, plain functions.
#pragma once

#include <string>

#include "llmbatch/base/clock.h"
#include "llmbatch/model/run_status.h"

namespace llmbatch {

/// Several lines, each ended by a line feed, without escape codes. `now` tells how old the figures
/// are; a running run writes its own every second.
std::string format_status(const RunStatus& status, WallTime now);

}  // namespace llmbatch
