// The commands of llmbatch, one file each. Each returns an exit code of the README
// section 8. Thread rule: called once, from main's thread.
#pragma once

#include "llmbatch/app/command_line.h"
#include "llmbatch/app/environment.h"

namespace llmbatch {

/// Exit codes that users script against; 128 + signal for interrupts.
enum class ExitCode : int {
  ok = 0,
  failure = 1,
  usage = 2,
  problems = 3,
  paused = 4,
  in_use = 5,
  in_batches = 6,
};

/// Prints `llmbatch: ERROR` to stderr and returns the code for its kind.
int report_error(const Error& error);

/// `command_line`: the words of this invocation, quoted for a shell, without --retry.
int run_command(const ParsedCommand& parsed, const Environment& environment,
                const std::string& command_line);
/// `command_line` as for run.
int compare_command(const ParsedCommand& parsed, const Environment& environment,
                    const std::string& command_line);
int status_command(const ParsedCommand& parsed, const Environment& environment);
int export_command(const ParsedCommand& parsed, const Environment& environment);
/// `command_line` as for run.
int estimate_command(const ParsedCommand& parsed, const Environment& environment,
                     const std::string& command_line);
int models_command(const ParsedCommand& parsed);
int report_command(const ParsedCommand& parsed, const Environment& environment);
int review_command(const ParsedCommand& parsed, const Environment& environment);
/// `batches list` and `batches show`.
int batches_command(const ParsedCommand& parsed, const Environment& environment);
/// `batches cancel` and `batches forget`.
int batches_change_command(const ParsedCommand& parsed, const Environment& environment);
/// `command_line` as for run.
int batches_write_command(const ParsedCommand& parsed, const Environment& environment,
                          const std::string& command_line);
int batches_read_command(const ParsedCommand& parsed, const Environment& environment,
                         const std::string& command_line);
int simulate_command(const ParsedCommand& parsed, const Environment& environment);

/// Parses the command line and runs the command.
int run_program(int argc, const char* const* argv);

}  // namespace llmbatch
