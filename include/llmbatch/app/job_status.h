// Where a job stands, for commands that only read. Thread rule: that of StoreReader.
#pragma once

#include <string>

#include "llmbatch/base/clock.h"
#include "llmbatch/base/result.h"
#include "llmbatch/model/run_status.h"
#include "llmbatch/store/store_reader.h"

namespace llmbatch {

/// The living run's own snapshot; where none lives, what is stored.
Result<RunStatus> read_status(StoreReader& reader, const std::string& database, WallTime now);

}  // namespace llmbatch
