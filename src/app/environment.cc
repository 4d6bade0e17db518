#include "llmbatch/app/environment.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace llmbatch {

std::optional<std::string> Environment::non_empty(const std::string& name) const {
  std::optional<std::string> value = variable(name);
  if (value && value->empty()) return std::nullopt;
  return value;
}

std::string Environment::home() const { return non_empty("HOME").value_or(""); }

std::string Environment::user_config_file() const {
  // The XDG base directory specification: a relative path is to be ignored.
  const std::string xdg = non_empty("XDG_CONFIG_HOME").value_or("");
  if (!xdg.empty() && xdg.front() == '/') return xdg + "/llmbatch/config.toml";
  const std::string directory = home();
  return directory.empty() ? std::string() : directory + "/.config/llmbatch/config.toml";
}

std::string Environment::directory_config_file() const {
  return working_directory + "/llmbatch.toml";
}

Environment process_environment() {
  Environment environment;
  environment.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
  std::error_code ignored;
  environment.working_directory = std::filesystem::current_path(ignored).string();
  return environment;
}

}  // namespace llmbatch
