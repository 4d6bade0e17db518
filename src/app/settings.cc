#include "llmbatch/app/settings.h"

#include <fmt/core.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "llmbatch/app/config_file.h"
#include "llmbatch/app/settings_table.h"
#include "llmbatch/base/check.h"
#include "llmbatch/base/fd.h"

namespace llmbatch {
namespace {

constexpr std::size_t kMaxConfigBytes = 1U << 20U;

/// The text of a file; absent when there is none and it may be missing.
Result<std::optional<std::string>> read_config_text(const std::string& path, bool may_be_missing) {
  std::error_code error;
  if (may_be_missing && !std::filesystem::exists(path, error) && !error) return std::nullopt;
  auto text = read_file(path, kMaxConfigBytes);
  if (!text) return forward_error(text);
  return std::optional<std::string>(std::move(*text));
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

struct ConfigFile {
  std::string path;
  std::string shown;
  OriginKind kind;
  bool may_be_missing;
};

std::vector<ConfigFile> config_files(const Settings& settings, const Environment& environment) {
  if (const auto only_file = settings.optional_text("config")) {
    const std::string path =
        only_file->front() == '/' ? *only_file : environment.working_directory + "/" + *only_file;
    return {{path, *only_file, OriginKind::directory_file, false}};
  }
  std::vector<ConfigFile> files;
  const std::string user = environment.user_config_file();
  if (!user.empty()) files.push_back({user, user, OriginKind::user_file, true});
  files.push_back(
      {environment.directory_config_file(), "llmbatch.toml", OriginKind::directory_file, true});
  return files;
}

/// Every value of the file is checked, also those of other commands: a mistake shows up at once.
Status add_file(const ConfigFile& file, const Environment& environment, Settings& settings) {
  const auto text = read_config_text(file.path, file.may_be_missing);
  if (!text) return forward_error(text);
  if (!text->has_value()) return {};
  auto values =
      parse_config_file(**text, file.shown, file.kind, directory_of(file.path), environment.home());
  if (!values) return forward_error(values);
  for (GivenValue& value : *values) {
    if (Status status = settings.set(std::move(value)); !status) return status;
  }
  return {};
}

Status add_environment(const Environment& environment, Settings& settings) {
  for (const Settings::Entry& entry : settings.entries()) {
    if (entry.spec->set_by == SetBy::flag) continue;
    const std::string name = entry.spec->environment();
    auto value = environment.non_empty(name);
    if (!value) continue;
    Origin origin{OriginKind::environment, name};
    if (Status status = settings.set({entry.spec, {std::move(*value)}, std::move(origin)});
        !status) {
      return status;
    }
  }
  return {};
}

SettingValue default_value(const SettingSpec& spec) {
  auto value = parse_setting_value(spec, {std::string(spec.default_text)});
  LLMBATCH_CHECK(value.has_value());
  return std::move(*value);
}

}  // namespace

std::string Origin::label() const {
  switch (kind) {
    case OriginKind::default_value:
      return "default";
    case OriginKind::user_file:
    case OriginKind::directory_file:
      return where;
    case OriginKind::environment:
      return "env " + where;
    case OriginKind::flag:
      return "flag " + where;
  }
  return "";
}

Settings::Settings(Command command) : command_(command) {
  for (const SettingSpec* spec : settings_of(command)) {
    Entry entry;
    entry.spec = spec;
    if (!spec->default_text.empty()) {
      entry.value = default_value(*spec);
      entry.is_set = true;
    }
    entries_.push_back(std::move(entry));
  }
}

std::string Settings::subject(const SettingSpec& spec, const Origin& origin) {
  const bool file =
      origin.kind == OriginKind::user_file || origin.kind == OriginKind::directory_file;
  if (file) return fmt::format("{}: {}", origin.where, spec.file_key());
  return origin.where.empty() ? std::string(spec.name) : origin.where;
}

Status Settings::set(GivenValue given) {
  auto value = parse_setting_value(*given.spec, std::move(given.texts));
  if (!value) {
    return usage_error(
        fmt::format("{}: {}", subject(*given.spec, given.origin), value.error().message));
  }
  for (Entry& entry : entries_) {
    if (entry.spec != given.spec || entry.origin.kind > given.origin.kind) continue;
    entry.value = std::move(*value);
    entry.origin = std::move(given.origin);
    entry.is_set = true;
    break;
  }
  return {};
}

const Settings::Entry& Settings::entry(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.spec->name == name && contains(entry.spec->commands, command_)) return entry;
  }
  LLMBATCH_CHECK(false && "a setting that this command does not have");
  return entries_.front();
}

bool Settings::has(std::string_view name) const { return entry(name).is_set; }

const Origin& Settings::origin(std::string_view name) const { return entry(name).origin; }

bool Settings::flag(std::string_view name) const { return entry(name).value.boolean; }

std::string Settings::text(std::string_view name) const { return optional_text(name).value_or(""); }

std::optional<std::string> Settings::optional_text(std::string_view name) const {
  const Entry& found = entry(name);
  if (!found.is_set || found.value.texts.empty()) return std::nullopt;
  return found.value.texts.front();
}

std::vector<std::string> Settings::list(std::string_view name) const {
  return entry(name).value.texts;
}

std::optional<std::int64_t> Settings::optional_integer(std::string_view name) const {
  const Entry& found = entry(name);
  const bool automatic = found.spec->type == ValueType::auto_or_integer && text(name) == "auto";
  if (!found.is_set || automatic) return std::nullopt;
  return found.value.integer;
}

std::int64_t Settings::integer(std::string_view name) const {
  return optional_integer(name).value_or(0);
}

std::optional<double> Settings::optional_number(std::string_view name) const {
  const Entry& found = entry(name);
  if (!found.is_set) return std::nullopt;
  return found.value.number;
}

std::optional<Money> Settings::optional_money(std::string_view name) const {
  const Entry& found = entry(name);
  if (!found.is_set) return std::nullopt;
  return Money::from_pico(found.value.integer);
}

double Settings::number(std::string_view name) const { return optional_number(name).value_or(0); }

Duration Settings::duration(std::string_view name) const { return Duration(integer(name)); }

Result<Settings> shared_run_settings(const Settings& settings) {
  Settings shared(Command::run);
  for (const Settings::Entry& entry : settings.entries()) {
    const bool both = contains(entry.spec->commands, Command::run);
    if (!both || !entry.is_set || entry.origin.kind == OriginKind::default_value) continue;
    if (Status set = shared.set({entry.spec, entry.value.texts, entry.origin}); !set) {
      return forward_error(set);
    }
  }
  return shared;
}

Result<Settings> resolve_settings(Command command, std::vector<GivenValue> flags,
                                  const Environment& environment) {
  Settings settings(command);
  for (GivenValue& flag : flags) {
    if (Status status = settings.set(std::move(flag)); !status) return forward_error(status);
  }
  if (Status status = add_environment(environment, settings); !status) {
    return forward_error(status);
  }
  for (const ConfigFile& file : config_files(settings, environment)) {
    if (Status status = add_file(file, environment, settings); !status) {
      return forward_error(status);
    }
  }
  return settings;
}

}  // namespace llmbatch
