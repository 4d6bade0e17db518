#include "llmbatch/app/command_line.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <utility>

#include "llmbatch/app/completions.h"
#include "llmbatch/app/help_text.h"
#include "llmbatch/app/man_page.h"
#include "llmbatch/app/settings_table.h"
#include "llmbatch/app/version.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

struct SplitArguments {
  std::vector<GivenValue> flags;
  std::vector<std::string> positionals;
  bool help = false;
};

std::string in_quotes(std::string_view text) {
  return fmt::format("'{}'", sanitize_for_terminal(text));
}

std::string see_help(Command command) {
  return fmt::format(" (see 'llmbatch {} --help')", command_spec(command).name);
}

std::vector<std::string> flags_of(Command command) {
  std::vector<std::string> flags{"--help"};
  for (const SettingSpec* spec : settings_of(command)) {
    if (contains(spec->commands, command)) flags.push_back(spec->flag());
  }
  return flags;
}

tl::unexpected<Error> unknown_option(Command command, const std::string& argument) {
  const std::string name = argument.substr(0, argument.find('='));
  // A value is never repeated: it may be a key that somebody tried to pass.
  std::string message = fmt::format("unknown option {}", in_quotes(name));
  if (name == "--api-key" || name == "--key" || name == "--token") {
    return usage_error(message +
                       ": keys are taken from the environment or from --api-key-file only, "
                       "because other users can see the arguments of a process");
  }
  if (const auto near = nearest_word(name, flags_of(command))) {
    return usage_error(fmt::format("{}; did you mean '{}'?", message, *near));
  }
  for (const CommandSpec& other : command_table()) {
    if (!name.starts_with("--") || find_setting(other.command, name.substr(2)) == nullptr) continue;
    return usage_error(fmt::format("{}: it belongs to 'llmbatch {}'", message, other.name));
  }
  return usage_error(message + see_help(command));
}

/// CLI11 takes the next argument as the value of `--name=`; this makes the empty value explicit.
std::vector<std::string> with_explicit_empty_values(const std::vector<std::string>& arguments) {
  std::vector<std::string> out;
  bool options_ended = false;
  for (const std::string& argument : arguments) {
    if (argument == "--") options_ended = true;
    const bool empty_value = !options_ended && argument.size() > 3 && argument.starts_with("--") &&
                             argument.find('=') == argument.size() - 1;
    out.push_back(empty_value ? argument.substr(0, argument.size() - 1) : argument);
    if (empty_value) out.emplace_back();
  }
  return out;
}

CLI::Option* add_option(CLI::App& app, const SettingSpec& spec) {
  std::string names = spec.flag();
  if (spec.letter != 0) names = fmt::format("-{},{}", spec.letter, names);
  if (spec.needs_no_value()) {
    return app.add_flag(names)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  return app.add_option(names, "")
      ->type_size(1)
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

/// What CLI11 did not take: unknown options, and after them or `--` the positionals.
Status take_rest(Command command, const std::vector<std::string>& rest, SplitArguments& split) {
  bool options_ended = false;
  for (const std::string& argument : rest) {
    if (!options_ended && argument == "--") {
      options_ended = true;
      continue;
    }
    const bool option = !options_ended && argument.size() > 1 && argument.front() == '-';
    if (option) return unknown_option(command, argument);
    split.positionals.push_back(argument);
  }
  return {};
}

std::string missing_value(const CLI::Error& error, Command command) {
  // CLI11's own words begin with the option's name.
  std::string text = error.what();
  const std::string name = text.substr(0, text.find_first_of(": "));
  const SettingSpec* spec =
      name.starts_with("--") ? find_setting(command, name.substr(2)) : nullptr;
  if (spec == nullptr) return text;
  return fmt::format("{} needs a value ({})", spec->flag(), spec->placeholder());
}

Result<SplitArguments> split_arguments(Command command, const std::vector<std::string>& arguments) {
  SplitArguments split;
  try {
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    const CLI::Option* help = app.add_flag("-h,--help");
    std::vector<std::pair<const SettingSpec*, CLI::Option*>> options;
    for (const SettingSpec* spec : settings_of(command)) {
      if (contains(spec->commands, command)) options.emplace_back(spec, add_option(app, *spec));
    }
    std::vector<std::string> reversed = with_explicit_empty_values(arguments);
    std::reverse(reversed.begin(), reversed.end());
    app.parse(std::move(reversed));
    split.help = help->count() > 0;
    for (const auto& [spec, option] : options) {
      if (option->count() == 0) continue;
      std::vector<std::string> texts = option->results();
      // Without a value a flag means true; CLI11 leaves that word out or says "true".
      for (std::string& text : texts) {
        if (spec->type == ValueType::boolean && text.empty()) text = "true";
        if (!spec->bare.empty() && (text.empty() || text == "true")) text = spec->bare;
      }
      split.flags.push_back({spec, std::move(texts), Origin{OriginKind::flag, spec->flag()}});
    }
    if (split.help) return split;
    if (Status status = take_rest(command, app.remaining(), split); !status) {
      return forward_error(status);
    }
  } catch (const CLI::Error& error) {
    return usage_error(missing_value(error, command));
  } catch (const std::exception& error) {
    return usage_error(error.what());
  }
  return split;
}

Status check_positionals(const CommandSpec& spec, const std::vector<std::string>& positionals) {
  if (positionals.size() < spec.min_positionals) {
    return usage_error(
        fmt::format("{}: {} is missing{}", spec.name, spec.positionals, see_help(spec.command)));
  }
  if (positionals.size() > spec.max_positionals) {
    return usage_error(fmt::format("{}: unexpected argument {}{}", spec.name,
                                   in_quotes(positionals[spec.max_positionals]),
                                   see_help(spec.command)));
  }
  for (const std::string& positional : positionals) {
    if (positional.empty()) {
      return usage_error(fmt::format("{}: {} is empty", spec.name, spec.positionals));
    }
  }
  return {};
}

tl::unexpected<Error> unknown_command(const std::string& word) {
  std::vector<std::string> names;
  for (const CommandSpec& spec : command_table()) {
    if (!spec.hidden) names.emplace_back(spec.name.substr(0, spec.name.find(' ')));
  }
  std::string message = fmt::format("unknown command {}", in_quotes(word));
  if (const auto near = nearest_word(word, names)) {
    message += fmt::format("; did you mean '{}'?", *near);
  } else if (word.find_first_of("./") != std::string::npos || word == "-") {
    message += fmt::format("; did you mean 'llmbatch run {}'?", sanitize_for_terminal(word));
  } else {
    message += " (see 'llmbatch --help')";
  }
  return usage_error(std::move(message));
}

/// The second words of these commands: `list, show or cancel`.
std::string second_words(const std::vector<const CommandSpec*>& group) {
  std::string text;
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (i > 0) text += i + 1 == group.size() ? " or " : ", ";
    text += second_word(*group[i]);
  }
  return text;
}

tl::unexpected<Error> no_second_word(const std::vector<std::string>& words,
                                     const std::vector<const CommandSpec*>& group) {
  if (words.size() == 1) {
    return usage_error(
        group.size() == 1
            ? fmt::format("'{}' needs a second word; did you mean '{}'?", words[0], group[0]->name)
            : fmt::format("'{}' needs a second word: {}", words[0], second_words(group)));
  }
  std::vector<std::string> known;
  known.reserve(group.size());
  for (const CommandSpec* spec : group) known.emplace_back(second_word(*spec));
  std::string message =
      fmt::format("unknown command '{} {}'", words[0], sanitize_for_terminal(words[1]));
  const auto near = group.size() == 1 ? known[0] : nearest_word(words[1], known);
  return usage_error(near ? fmt::format("{}; did you mean '{} {}'?", message, words[0], *near)
                          : fmt::format("{} (known: {})", message, second_words(group)));
}

/// The command that the first words name; `used` is how many of them.
Result<Command> find_command(const std::vector<std::string>& words, std::size_t& used) {
  const auto group = commands_of(words[0]);
  if (group.empty()) return unknown_command(words[0]);
  used = 1;
  if (second_word(*group[0]).empty()) return group[0]->command;
  for (const CommandSpec* spec : group) {
    if (words.size() == 1 || words[1] != second_word(*spec)) continue;
    used = 2;
    return spec->command;
  }
  const bool asks_help = words.size() > 1 && (words[1] == "--help" || words[1] == "-h");
  if (asks_help && group.size() == 1) return group[0]->command;
  return no_second_word(words, group);
}

/// `batches --help` and `help batches`: which commands begin so.
bool asks_for_group(const std::vector<std::string>& words, bool help) {
  if (words.empty() || commands_of(words[0]).size() < 2) return false;
  if (words.size() == 1) return help;
  return words[1] == "--help" || words[1] == "-h";
}

ParsedCommand printed(Command command, std::string text) {
  ParsedCommand parsed;
  parsed.command = command;
  parsed.text = std::move(text);
  return parsed;
}

Result<ParsedCommand> parse_help(const std::vector<std::string>& words, std::size_t width) {
  if (words.empty() || words[0] == "help") return printed(Command::help, overview_text(width));
  if (asks_for_group(words, true)) return printed(Command::help, group_text(words[0], width));
  std::vector<std::string> full = words;
  if (full.size() == 1) full.emplace_back("--help");
  std::size_t used = 0;
  const auto command = find_command(full, used);
  if (!command) return forward_error(command);
  return printed(Command::help, help_text(*command, width));
}

/// Options that stand before any command.
Result<ParsedCommand> parse_without_command(const std::string& option, std::size_t width) {
  if (option == "--help" || option == "-h") return printed(Command::help, overview_text(width));
  if (option == "--version" || option == "-V") {
    return printed(Command::version, fmt::format("llmbatch {}\n", kVersion));
  }
  const std::string name = option.substr(0, option.find('='));
  if (const auto near = nearest_word(name, {"--help", "--version"})) {
    return usage_error(
        fmt::format("unknown option {}; did you mean '{}'?", in_quotes(name), *near));
  }
  return usage_error(fmt::format("option {} before a command (write 'llmbatch run INPUT {}')",
                                 in_quotes(name), sanitize_for_terminal(name)));
}

Result<ParsedCommand> parse_for(Command command, const std::vector<std::string>& rest,
                                const Environment& environment, std::size_t width) {
  auto split = split_arguments(command, rest);
  if (!split) return forward_error(split);
  if (split->help) return printed(Command::help, help_text(command, width));
  if (Status status = check_positionals(command_spec(command), split->positionals); !status) {
    return forward_error(status);
  }
  if (command == Command::help) return parse_help(split->positionals, width);
  if (command == Command::version) {
    return printed(command, fmt::format("llmbatch {}\n", kVersion));
  }
  if (command == Command::man) return printed(command, man_page());
  if (command == Command::completions) {
    auto script = completion_script(split->positionals[0]);
    if (!script) return forward_error(script);
    return printed(command, std::move(*script));
  }
  auto settings = resolve_settings(command, std::move(split->flags), environment);
  if (!settings) return forward_error(settings);
  ParsedCommand parsed;
  parsed.command = command;
  parsed.positionals = std::move(split->positionals);
  parsed.settings = std::move(*settings);
  return parsed;
}

}  // namespace

Result<ParsedCommand> parse_command_line(const std::vector<std::string>& arguments,
                                         const Environment& environment) {
  const std::size_t width = help_width(environment.non_empty("COLUMNS").value_or(""));
  if (arguments.empty()) {
    return usage_error("no command given\n\n" + overview_text(width));
  }
  const std::string& first = arguments[0];
  if (first.size() > 1 && first.front() == '-') return parse_without_command(first, width);
  if (asks_for_group(arguments, false)) return printed(Command::help, group_text(first, width));
  std::size_t used = 0;
  const auto command = find_command(arguments, used);
  if (!command) return forward_error(command);
  const std::vector<std::string> rest(arguments.begin() + static_cast<std::ptrdiff_t>(used),
                                      arguments.end());
  return parse_for(*command, rest, environment, width);
}

Result<ParsedCommand> parse_command_line(int argc, const char* const* argv,
                                         const Environment& environment) {
  std::vector<std::string> arguments;
  for (int i = 1; i < argc; ++i) arguments.emplace_back(argv[i]);
  return parse_command_line(arguments, environment);
}

}  // namespace llmbatch
