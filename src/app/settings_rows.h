// The rows of the table of settings, by command. Private to settings_table.cc.
#pragma once

#include <span>
#include <vector>

#include "llmbatch/app/setting.h"

namespace llmbatch {

/// Adds the settings of `compare`, and lets it share those of `run`.
void add_compare_rows(std::vector<SettingSpec>& rows);

inline constexpr CommandSet kRun = only(Command::run);
inline constexpr CommandSet kStatus = only(Command::status);
inline constexpr CommandSet kExport = only(Command::export_results);
inline constexpr CommandSet kReport = only(Command::report);
inline constexpr CommandSet kReview = only(Command::review);
inline constexpr CommandSet kSimulate = only(Command::simulate);
inline constexpr CommandSet kConfigShow = only(Command::config_show);

std::span<const SettingSpec> run_request_rows();
std::span<const SettingSpec> run_pacing_rows();
std::span<const SettingSpec> run_output_rows();
std::span<const SettingSpec> token_rows();
std::span<const SettingSpec> other_rows();
std::span<const SettingSpec> review_rows();
std::span<const SettingSpec> simulate_rows();

}  // namespace llmbatch
