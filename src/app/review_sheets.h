// `llmbatch review --export` and `--import`. Thread rule: one thread.
#pragma once

#include <string>

#include "llmbatch/app/settings.h"
#include "llmbatch/base/clock.h"
#include "review_job.h"

namespace llmbatch {

/// Writes the selected items of `job` in the order of the input.
Status export_sheet(ReviewJob& job, const Settings& settings, const std::string& path);

/// Stores the verdicts of a sheet, all or none. The line to be told about it.
Result<std::string> import_sheet(ReviewJob& job, const Settings& settings, const std::string& path,
                                 const Clock& clock);

}  // namespace llmbatch
