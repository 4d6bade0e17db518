// Environment: what the program reads from its surroundings (variables, directories, width of the
// terminal), so that tests need not touch the process. Thread rule: const after construction.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace llmbatch {

struct Environment {
  /// The value of a variable; absent when it is not set.
  std::function<std::optional<std::string>(const std::string& name)> variable;
  std::string working_directory;

  /// Like `variable`, but an empty value counts as not set.
  std::optional<std::string> non_empty(const std::string& name) const;
  /// `$HOME`; empty when there is none.
  std::string home() const;
  /// `$XDG_CONFIG_HOME/llmbatch/config.toml`, else below `~/.config`; empty without a home.
  std::string user_config_file() const;
  /// `./llmbatch.toml`.
  std::string directory_config_file() const;
};

/// The environment of this process.
Environment process_environment();

}  // namespace llmbatch
