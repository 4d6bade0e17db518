// Where the database of a job is (README: next to the input, or the only one of the
// directory). Thread rule: pure functions of the file system.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "llmbatch/app/command_line.h"
#include "llmbatch/base/result.h"

namespace llmbatch {

inline constexpr std::string_view kDatabaseSuffix = ".llmbatch.db";

/// `tickets.jsonl` -> `tickets.jsonl.llmbatch.db`; a usage error for `-`.
Result<std::string> default_database_path(const std::string& input);

/// The only `*.llmbatch.db` in `directory`, by its plain name when that is `.`. None or several are
/// a usage error that lists them.
Result<std::string> find_only_database(const std::string& directory);

/// For commands that only read: the positional DB, else --db, else the only one of the directory.
Result<std::string> database_of(const ParsedCommand& parsed, const Environment& environment);

/// For `batches` commands: the positional INPUT or DB (`named`) or --input, else --db, else the
/// only one of the directory. An input stands for its default database.
Result<std::string> database_of_job(const std::optional<std::string>& named,
                                    const Settings& settings, const Environment& environment);

}  // namespace llmbatch
