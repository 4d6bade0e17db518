// What a command must not overwrite with its output. Thread rule: plain function.
#pragma once

#include <string>

#include "llmbatch/base/result.h"
#include "llmbatch/store/store_reader.h"

namespace llmbatch {

/// The output replaces its target: a usage error when that is the database or the job's input.
Status check_output_target(const std::string& target, const std::string& database,
                           StoreReader& reader);

}  // namespace llmbatch
