// Where a command may write what it makes from a database. Thread rule: pure, but for stat(2).
#pragma once

#include <string>
#include <string_view>

#include "llmbatch/base/result.h"
#include "llmbatch/store/store_reader.h"

namespace llmbatch {

/// An output file replaces its target: a usage error when that is the database, a file that belongs
/// to it, or the input of the job. `option` is what named the target: `--output`.
Status check_output_target(std::string_view option, const std::string& target,
                           const std::string& database, StoreReader& reader);

/// True when both names are the same file.
bool same_file(const std::string& a, const std::string& b);

}  // namespace llmbatch
