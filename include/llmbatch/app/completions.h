// Completion scripts for shells, made from the tables of commands and settings.
// Thread rule: pure function.
#pragma once

#include <string>
#include <string_view>

#include "llmbatch/base/result.h"

namespace llmbatch {

/// `shell` is bash, zsh or fish; anything else is a usage error.
Result<std::string> completion_script(std::string_view shell);

}  // namespace llmbatch
