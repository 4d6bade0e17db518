#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "llmbatch/app/commands.h"
#include "llmbatch/app/config_show.h"
#include "llmbatch/provider/profile.h"
#include "llmbatch/ui/summary.h"

namespace llmbatch {
namespace {

std::vector<std::string> all_key_variables() {
  std::vector<std::string> names;
  const auto add = [&names](const ProviderProfile& profile) {
    for (const std::string_view variable : profile.key_variables) {
      if (!variable.empty()) names.emplace_back(variable);
    }
  };
  for (const ProviderProfile& profile : all_profiles()) add(profile);
  add(generic_profile());
  return names;
}

/// The words of this invocation without --retry, which would run the same items again.
std::string resume_command(int argc, const char* const* argv) {
  std::string text = "llmbatch";
  for (int index = 1; index < argc; ++index) {
    const std::string_view word = argv[index];
    if (word == "--retry") {
      ++index;
      continue;
    }
    if (word.starts_with("--retry=")) continue;
    text += ' ' + shell_quote(word);
  }
  return text;
}

int config_show_command(const ParsedCommand& parsed, const Environment& environment) {
  const std::vector<std::string> variables = all_key_variables();
  const std::string text = parsed.settings.flag("json")
                               ? config_json(parsed.settings, variables, environment)
                               : config_table(parsed.settings, variables, environment);
  fmt::print("{}{}", text, text.ends_with('\n') ? "" : "\n");
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

int report_error(const Error& error) {
  fmt::print(stderr, "llmbatch: {}\n", error.message);
  switch (error.kind) {
    case ErrorKind::failure:
      return static_cast<int>(ExitCode::failure);
    case ErrorKind::in_use:
      return static_cast<int>(ExitCode::in_use);
    case ErrorKind::usage:
    case ErrorKind::mismatch:
      return static_cast<int>(ExitCode::usage);
  }
  return static_cast<int>(ExitCode::failure);
}

int run_program(int argc, const char* const* argv) {
  // A file-size limit is an error like a full disk, not a reason to be killed.
  std::signal(SIGXFSZ, SIG_IGN);
  const Environment environment = process_environment();
  const Result<ParsedCommand> parsed = parse_command_line(argc, argv, environment);
  if (!parsed) return report_error(parsed.error());
  if (!parsed->text.empty()) {
    fmt::print("{}", parsed->text);
    return std::fflush(stdout) == 0 ? 0 : static_cast<int>(ExitCode::failure);
  }
  switch (parsed->command) {
    case Command::run:
      return run_command(*parsed, environment, resume_command(argc, argv));
    case Command::compare:
      return compare_command(*parsed, environment, resume_command(argc, argv));
    case Command::status:
      return status_command(*parsed, environment);
    case Command::export_results:
      return export_command(*parsed, environment);
    case Command::estimate:
      return estimate_command(*parsed, environment, resume_command(argc, argv));
    case Command::models:
      return models_command(*parsed);
    case Command::report:
      return report_command(*parsed, environment);
    case Command::review:
      return review_command(*parsed, environment);
    case Command::batches_list:
    case Command::batches_show:
      return batches_command(*parsed, environment);
    case Command::batches_cancel:
    case Command::batches_forget:
      return batches_change_command(*parsed, environment);
    case Command::batches_write:
      return batches_write_command(*parsed, environment, resume_command(argc, argv));
    case Command::batches_read:
      return batches_read_command(*parsed, environment, resume_command(argc, argv));
    case Command::simulate:
      return simulate_command(*parsed, environment);
    case Command::config_show:
      return config_show_command(*parsed, environment);
    case Command::completions:
    case Command::man:
    case Command::help:
    case Command::version:
      break;
  }
  return static_cast<int>(ExitCode::usage);
}

}  // namespace llmbatch
