// Reads a TOML configuration file against the table of settings.
// Thread rule: pure function of the file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/app/settings.h"
#include "llmbatch/base/result.h"

namespace llmbatch {

/// The values of a file's text, in file order. `shown_path` names the file in messages and origins;
/// relative paths among the values are taken from `directory`, `~/` from `home`. Unknown keys and
/// sections, values of a wrong type and TOML errors are usage errors naming line and key.
Result<std::vector<GivenValue>> parse_config_file(std::string_view text,
                                                  const std::string& shown_path, OriginKind kind,
                                                  const std::string& directory,
                                                  const std::string& home);

}  // namespace llmbatch
