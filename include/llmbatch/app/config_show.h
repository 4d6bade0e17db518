// `llmbatch config show`: every setting with its value and where it came from. API keys are never
// shown, only whether they are set. Thread rule: pure functions.
#pragma once

#include <string>
#include <vector>

#include "llmbatch/app/environment.h"
#include "llmbatch/app/settings.h"

namespace llmbatch {

/// A TOML file with the origins as comments; settings without a value are commented out.
/// `key_variables`: the environment variables that may hold API keys.
std::string config_table(const Settings& settings, const std::vector<std::string>& key_variables,
                         const Environment& environment);

/// `{"settings":[{"key","value","origin","environment","flag"}],"keys":[{"variable","set"}]}`, one
/// line.
std::string config_json(const Settings& settings, const std::vector<std::string>& key_variables,
                        const Environment& environment);

}  // namespace llmbatch
