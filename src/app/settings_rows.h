// The rows of the table of settings, by command. Private to settings_table.cc.
#pragma once

#include <span>
#include <vector>

#include "llmbatch/app/setting.h"

namespace llmbatch {

/// Adds the settings of `compare`, and lets it share those of `run`.
void add_compare_rows(std::vector<SettingSpec>& rows);

/// Adds the settings of the `batches` commands, and lets them share those of `run`.
void add_batches_rows(std::vector<SettingSpec>& rows);

/// `estimate` takes what `run` takes: it looks at the same job, and a pilot is a run.
inline constexpr CommandSet kRun = only(Command::run) | only(Command::estimate);
/// What only says how a run goes about it.
inline constexpr CommandSet kRunAlone = only(Command::run);
inline constexpr CommandSet kEstimate = only(Command::estimate);
inline constexpr CommandSet kStatus = only(Command::status);
inline constexpr CommandSet kExport = only(Command::export_results);
inline constexpr CommandSet kModels = only(Command::models);
inline constexpr CommandSet kReport = only(Command::report);
inline constexpr CommandSet kReview = only(Command::review);
inline constexpr CommandSet kSimulate = only(Command::simulate);
inline constexpr CommandSet kConfigShow = only(Command::config_show);

std::span<const SettingSpec> run_request_rows();
std::span<const SettingSpec> run_pacing_rows();
std::span<const SettingSpec> run_batch_rows();
std::span<const SettingSpec> run_output_rows();
std::span<const SettingSpec> run_check_rows();
std::span<const SettingSpec> run_reuse_rows();
std::span<const SettingSpec> price_rows();
std::span<const SettingSpec> estimate_rows();
std::span<const SettingSpec> token_rows();
std::span<const SettingSpec> other_rows();
std::span<const SettingSpec> review_rows();
std::span<const SettingSpec> simulate_rows();

}  // namespace llmbatch
