// SettingSpec: one row of the table that feeds flag parsing, environment, configuration files,
// `--help`, `config show`, the man page and the completions. Thread rule: constant data.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/app/command.h"
#include "llmbatch/base/result.h"

namespace llmbatch {

enum class ValueType : std::uint8_t {
  boolean,
  text,
  path,
  url,
  choice,  ///< one of `choices`
  integer,
  auto_or_integer,  ///< `auto` or an integer
  number,
  count,       ///< a whole number, `k` and `M` allowed: `1.5k`
  size,        ///< bytes: `64MiB`
  duration,    ///< seconds, or with a unit: `500ms`, `1m30s`
  percent,     ///< `5` or `5%`
  words,       ///< comma-separated list, of `choices` if there are any
  texts,       ///< a list taken verbatim, one value per flag
  parameters,  ///< `NAME=JSON`, one per flag
};

/// Where a value may come from.
enum class SetBy : std::uint8_t { anything, flag_and_environment, flag };

struct SettingSpec {
  std::string_view name{};  ///< `max-retries`: the flag without dashes and the key in a file
  char letter = 0;          ///< short flag, 0: none
  ValueType type = ValueType::text;
  std::string_view value_name{};    ///< placeholder in help; empty: `choices`
  std::string_view choices{};       ///< `a|b|c`, for choice and words
  std::string_view default_text{};  ///< as it would be typed; empty: not set
  double min = std::numeric_limits<double>::lowest();
  double max = std::numeric_limits<double>::max();
  std::string_view group{};
  CommandSet commands = 0;
  std::string_view section{};  ///< of the file; `run` and "" stand at the top level, too
  SetBy set_by = SetBy::anything;
  bool secret = false;      ///< the value is never shown
  std::string_view help{};  ///< sentences without the default
  /// What the flag means without a value, which then needs `=`: `--show-disagreements[=N]`.
  std::string_view bare{};

  std::string flag() const;         ///< `--max-retries`
  std::string environment() const;  ///< `LLMBATCH_MAX_RETRIES`, `LLMBATCH_EXPORT_FORMAT`
  std::string file_key() const;     ///< `max-retries`, `export.format`
  std::string placeholder() const;  ///< `N`, `auto|bar`; empty for a boolean
  /// With what a help page puts before the placeholder: ` N`, `[=N]`.
  std::string value_help() const;
  bool is_list() const;
  /// True when the flag may stand alone.
  bool needs_no_value() const { return type == ValueType::boolean || !bare.empty(); }
  std::vector<std::string> choice_list() const;
};

/// A value after parsing; which members count depends on the type.
struct SettingValue {
  std::vector<std::string> texts;  ///< as given; one per element for lists
  bool boolean = false;
  std::int64_t integer = 0;  ///< integer, count, bytes, nanoseconds
  double number = 0;         ///< number; percent as a fraction
};

/// Parses what was given for a setting (several texts only for lists). The message of a failure
/// says what is wrong with which value, without naming the setting.
Result<SettingValue> parse_setting_value(const SettingSpec& spec, std::vector<std::string> texts);

/// `60`, `1.5s`, `500ms`, `2m`, `1h30m`, `1d` in nanoseconds; a bare number is in seconds.
std::optional<std::int64_t> parse_duration_nanos(std::string_view text);
/// `500`, `1.5k`, `2M`.
std::optional<std::int64_t> parse_count(std::string_view text);
/// `5` and `5%` are 0.05.
std::optional<double> parse_percent(std::string_view text);

}  // namespace llmbatch
