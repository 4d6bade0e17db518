// Settings: the value of every setting of one command, each with where it came from. Precedence:
// flag, environment, ./llmbatch.toml, the user's config.toml, default.
// Thread rule: const after resolve_settings.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/app/environment.h"
#include "llmbatch/app/setting.h"
#include "llmbatch/base/clock.h"
#include "llmbatch/base/result.h"
#include "llmbatch/model/money.h"

namespace llmbatch {

/// From weakest to strongest.
enum class OriginKind : std::uint8_t {
  default_value,
  user_file,
  directory_file,
  environment,
  flag
};

struct Origin {
  OriginKind kind = OriginKind::default_value;
  std::string where;  ///< `--rpm`, `LLMBATCH_RPM`, `/etc/x.toml:3`; empty for a default

  /// `flag --rpm`, `env LLMBATCH_RPM`, `llmbatch.toml:3`, `default`.
  std::string label() const;
};

/// A value as it was given, before it is parsed.
struct GivenValue {
  const SettingSpec* spec = nullptr;
  std::vector<std::string> texts;
  Origin origin;
};

class Settings {
 public:
  struct Entry {
    const SettingSpec* spec = nullptr;
    bool is_set = false;  ///< false: neither given nor with a default
    SettingValue value;
    Origin origin;
  };

  explicit Settings(Command command);

  /// The only way in: takes the value unless a stronger one is there. Fails naming origin, setting
  /// and value when it does not parse, whether or not it is used.
  Status set(GivenValue given);

  std::span<const Entry> entries() const { return entries_; }
  Command command() const { return command_; }

  /// True when there is a value, a default included.
  bool has(std::string_view name) const;
  const Origin& origin(std::string_view name) const;
  bool flag(std::string_view name) const;
  /// The text as given; empty when there is none.
  std::string text(std::string_view name) const;
  std::optional<std::string> optional_text(std::string_view name) const;
  std::vector<std::string> list(std::string_view name) const;
  std::optional<std::int64_t> optional_integer(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;  ///< integer, count, size in bytes
  std::optional<double> optional_number(std::string_view name) const;
  double number(std::string_view name) const;  ///< number; percent as a fraction
  Duration duration(std::string_view name) const;
  std::optional<Money> optional_money(std::string_view name) const;

  /// What a message about a setting begins with: `--rpm`,
  /// `LLMBATCH_RPM`, `llmbatch.toml:3: rpm`.
  static std::string subject(const SettingSpec& spec, const Origin& origin);

 private:
  const Entry& entry(std::string_view name) const;

  Command command_;
  std::vector<Entry> entries_;
};

/// Defaults, files, environment and flags in one. `--config` (or LLMBATCH_CONFIG) names the only
/// file to read then. Unknown keys in files and values that do not parse are usage errors.
Result<Settings> resolve_settings(Command command, std::vector<GivenValue> flags,
                                  const Environment& environment);

/// The settings that a command shares with `run`, as if they had been given to it.
Result<Settings> shared_run_settings(const Settings& settings);

}  // namespace llmbatch
