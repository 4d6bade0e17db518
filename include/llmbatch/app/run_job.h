// One run of one job, as `run` does it and as other commands that send requests need it, too.
// Thread rule: called from main's thread, with the signals blocked (SignalInterrupts).
#pragma once

#include <string>

#include "llmbatch/app/environment.h"
#include "llmbatch/app/run_options.h"
#include "llmbatch/base/result.h"

namespace llmbatch {

/// Runs the job to its end and returns the exit code of `run`. `command_line`: what resumes it,
/// quoted for a shell.
Result<int> run_job(RunOptions options, const Environment& environment,
                    const std::string& command_line);

}  // namespace llmbatch
