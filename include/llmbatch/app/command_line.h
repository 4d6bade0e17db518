// The command line: from arguments to a command with its settings. CLI11 splits the flags; which
// ones there are, and what their values mean, is in the table of settings. Thread rule: pure
// function of arguments, environment and configuration files.
#pragma once

#include <string>
#include <vector>

#include "llmbatch/app/command.h"
#include "llmbatch/app/environment.h"
#include "llmbatch/app/settings.h"
#include "llmbatch/base/result.h"

namespace llmbatch {

struct ParsedCommand {
  Command command = Command::help;
  std::vector<std::string> positionals;
  Settings settings{Command::help};
  /// Not empty: all there is to do is to print this to stdout and exit 0 (help, version, man page,
  /// completions).
  std::string text;
};

/// `arguments` without the program's name. Every failure is a usage error (exit 2) for stderr.
Result<ParsedCommand> parse_command_line(const std::vector<std::string>& arguments,
                                         const Environment& environment);
Result<ParsedCommand> parse_command_line(int argc, const char* const* argv,
                                         const Environment& environment);

}  // namespace llmbatch
