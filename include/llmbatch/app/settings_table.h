// The one table of settings. To add a setting, add a row; nothing else has to know of it.
// Thread rule: constant data.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "llmbatch/app/setting.h"

namespace llmbatch {

/// Every setting, in the order of the help pages.
std::span<const SettingSpec> settings_table();

/// Those of one command, in order. For `config show`: everything that can be configured, too.
std::vector<const SettingSpec*> settings_of(Command command);

/// The setting that a command calls `name`; nullptr when there is none.
const SettingSpec* find_setting(Command command, std::string_view name);

/// The setting that a key in a section of a configuration file means ("": top level).
const SettingSpec* find_file_key(std::string_view section, std::string_view key);

/// Sections that a configuration file may have.
std::vector<std::string> file_sections();
/// Keys of one section ("": top level), for suggestions.
std::vector<std::string> file_keys(std::string_view section);

}  // namespace llmbatch
