#include "llmbatch/app/database_path.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

/// More names than this only bury the message.
constexpr std::size_t kListedDatabases = 20;

Result<std::vector<std::string>> databases_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (!name.ends_with(kDatabaseSuffix) || entry->is_directory(ignored)) continue;
    names.push_back(std::move(name));
  }
  if (error) return usage_error(fmt::format("{}: cannot be read: {}", directory, error.message()));
  std::sort(names.begin(), names.end());
  return names;
}

/// The plain name: what the user sees in the directory and would type.
Result<std::string> only_database(const Environment& environment) {
  const auto found = find_only_database(environment.working_directory);
  if (!found) return forward_error(found);
  return found->substr(found->rfind('/') + 1);
}

bool is_database(const std::string& path) {
  if (path.ends_with(kDatabaseSuffix)) return true;
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  std::string begin(kMagic.size(), ' ');
  std::ifstream(path, std::ios::binary)
      .read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return begin == kMagic;
}

}  // namespace

Result<std::string> default_database_path(const std::string& input) {
  if (input == "-") {
    return usage_error("--db is missing: input from stdin has no name to make a database's from");
  }
  return input + std::string(kDatabaseSuffix);
}

Result<std::string> find_only_database(const std::string& directory) {
  const auto names = databases_in(directory);
  if (!names) return forward_error(names);
  if (names->size() == 1) {
    return directory == "." ? names->front() : fmt::format("{}/{}", directory, names->front());
  }
  if (names->empty()) {
    return usage_error(fmt::format("{}: no *{} here (name one)", directory, kDatabaseSuffix));
  }
  std::string message = fmt::format("{}: {} databases here; name one of", directory, names->size());
  for (std::size_t i = 0; i < std::min(names->size(), kListedDatabases); ++i) {
    message += fmt::format("\n  {}", sanitize_for_terminal((*names)[i]));
  }
  if (names->size() > kListedDatabases) message += "\n  ...";
  return usage_error(std::move(message));
}

Result<std::string> database_of_job(const std::optional<std::string>& named,
                                    const Settings& settings, const Environment& environment) {
  const bool by_flag = settings.has("db") && settings.origin("db").kind == OriginKind::flag;
  if (named && by_flag) {
    return usage_error(fmt::format("the job is named twice: '{}' and --db '{}'",
                                   sanitize_for_terminal(*named),
                                   sanitize_for_terminal(settings.text("db"))));
  }
  if (named) return is_database(*named) ? *named : default_database_path(*named);
  if (settings.has("db")) return settings.text("db");
  return only_database(environment);
}

Result<std::string> database_of(const ParsedCommand& parsed, const Environment& environment) {
  const Settings& settings = parsed.settings;
  if (!parsed.positionals.empty()) {
    const bool twice = settings.has("db") && settings.origin("db").kind == OriginKind::flag;
    if (twice && settings.text("db") != parsed.positionals[0]) {
      return usage_error(fmt::format("the database is named twice: '{}' and --db '{}'",
                                     parsed.positionals[0], settings.text("db")));
    }
    return parsed.positionals[0];
  }
  if (settings.has("db")) return settings.text("db");
  return only_database(environment);
}

}  // namespace llmbatch
