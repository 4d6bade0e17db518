#include "llmbatch/app/completions.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "llmbatch/app/command.h"
#include "llmbatch/app/settings_table.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

std::vector<const SettingSpec*> flags_of(Command command) {
  std::vector<const SettingSpec*> specs = settings_of(command);
  std::erase_if(specs, [&](const SettingSpec* spec) { return !contains(spec->commands, command); });
  return specs;
}

std::vector<const CommandSpec*> shown_commands() {
  std::vector<const CommandSpec*> shown;
  for (const CommandSpec& command : command_table()) {
    if (!command.hidden) shown.push_back(&command);
  }
  return shown;
}

std::string_view first_word(std::string_view name) { return name.substr(0, name.find(' ')); }

std::string choices(const SettingSpec& spec) {
  std::string words(spec.choices);
  std::replace(words.begin(), words.end(), '|', ' ');
  if (spec.type == ValueType::auto_or_integer) words = "auto";
  return words;
}

/// The first sentence, without what would end a quoted text in a shell.
std::string short_help(const SettingSpec& spec) {
  const std::size_t stop = spec.help.find(". ");
  std::string text(spec.help.substr(0, stop));
  if (const std::size_t colon = text.find(": "); colon != std::string::npos) text.resize(colon);
  if (!text.empty() && text.back() == '.') text.pop_back();
  std::erase_if(text, [](char c) {
    return std::string_view("'\"[]:$`\\").find(c) != std::string_view::npos;
  });
  return text;
}

std::string bash_values(Command command) {
  std::string files;
  std::string out;
  for (const SettingSpec* spec : flags_of(command)) {
    if (spec->needs_no_value()) continue;
    std::string names = spec->flag();
    if (spec->letter != 0) names += fmt::format("|-{}", spec->letter);
    if (spec->type == ValueType::path) {
      files += (files.empty() ? "" : "|") + names;
    } else {
      // A value that is not one of a few words is the user's own: nothing is offered.
      const std::string words = choices(*spec);
      out += fmt::format("      {}) COMPREPLY=($(compgen -W '{}' -- \"$current\")); return ;;\n",
                         names, words);
    }
  }
  if (!files.empty()) {
    out = fmt::format("      {}) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n", files) +
          out;
  }
  return out;
}

std::string bash_script() {
  std::string words;
  std::string cases;
  for (const CommandSpec* command : shown_commands()) {
    words += fmt::format("{} ", first_word(command->name));
    std::string flags = "--help";
    for (const SettingSpec* spec : flags_of(command->command)) flags += " " + spec->flag();
    cases += fmt::format("  {})\n    case \"$previous\" in\n{}    esac\n    flags='{}'\n",
                         first_word(command->name), bash_values(command->command), flags);
    if (command->command == Command::config_show) cases += "    words='show'\n";
    cases += "    ;;\n";
  }
  return fmt::format(R"(# bash completion for llmbatch
_llmbatch() {{
  local current previous flags words
  COMPREPLY=()
  current=${{COMP_WORDS[COMP_CWORD]}}
  previous=${{COMP_WORDS[COMP_CWORD-1]}}
  flags='--help --version'
  words=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '{}help --help --version' -- "$current"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{}  esac
  case "$current" in
  -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;
  *)
    if [ -n "$words" ]; then
      COMPREPLY=($(compgen -W "$words" -- "$current"))
    else
      COMPREPLY=($(compgen -f -- "$current"))
    fi
    ;;
  esac
}}
complete -o filenames -F _llmbatch llmbatch
)",
                     words, cases);
}

std::string zsh_option(const SettingSpec& spec) {
  const std::string help = short_help(spec);
  std::string value;
  if (spec.type == ValueType::path) {
    value = ":file:_files";
  } else if (!spec.needs_no_value()) {
    const std::string words = choices(spec);
    value = fmt::format(":{}:({})", spec.name, words);
    if (words.empty()) value = fmt::format(":{}: ", spec.name);
  }
  const std::string equals = spec.needs_no_value() ? "" : "=";
  const std::string repeat = spec.is_list() ? "*" : "";
  std::string line =
      fmt::format("        '{}{}{}[{}]{}' \\\n", repeat, spec.flag(), equals, help, value);
  if (spec.letter != 0) {
    line += fmt::format("        '{}-{}[{}]{}' \\\n", repeat, spec.letter, help, value);
  }
  return line;
}

std::string zsh_script() {
  std::string commands;
  std::string cases;
  for (const CommandSpec* command : shown_commands()) {
    commands += fmt::format("    '{}:{}'\n", first_word(command->name), command->summary);
    cases += fmt::format("    {})\n      _arguments -s \\\n        '--help[Print help]' \\\n",
                         first_word(command->name));
    for (const SettingSpec* spec : flags_of(command->command)) cases += zsh_option(*spec);
    cases += command->command == Command::config_show ? "        '1:what:(show)'\n"
                                                      : "        '*:file:_files'\n";
    cases += "      ;;\n";
  }
  std::replace(commands.begin(), commands.end(), '`', ' ');
  return fmt::format(R"(#compdef llmbatch
_llmbatch() {{
  local -a commands
  commands=(
{}    'help:help on a command'
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    _arguments '--help[Print help]' '--version[Print the version]'
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
{}  esac
}}
_llmbatch "$@"
)",
                     commands, cases);
}

std::string fish_option(const SettingSpec& spec, std::string_view condition) {
  std::string out = fmt::format("complete -c llmbatch {} -l {}", condition, spec.name);
  if (spec.letter != 0) out += fmt::format(" -s {}", spec.letter);
  if (spec.type == ValueType::path) {
    out += " -r -F";
  } else if (!spec.needs_no_value()) {
    out += " -x";
    if (const std::string words = choices(spec); !words.empty()) {
      out += fmt::format(" -a '{}'", words);
    }
  }
  return out + fmt::format(" -d '{}'\n", short_help(spec));
}

std::string fish_script() {
  std::string out =
      "# fish completion for llmbatch\n"
      "complete -c llmbatch -n __fish_use_subcommand -l help -s h -d 'Print help'\n"
      "complete -c llmbatch -n __fish_use_subcommand -l version -s V -d 'Print the version'\n";
  for (const CommandSpec* command : shown_commands()) {
    const std::string_view word = first_word(command->name);
    out += fmt::format("complete -c llmbatch -f -n __fish_use_subcommand -a {} -d '{}'\n", word,
                       command->summary);
    const std::string condition = fmt::format("-n '__fish_seen_subcommand_from {}'", word);
    out += fmt::format("complete -c llmbatch {} -l help -s h -d 'Print help'\n", condition);
    if (command->command == Command::config_show) {
      out += fmt::format("complete -c llmbatch -f {} -a show\n", condition);
    }
    for (const SettingSpec* spec : flags_of(command->command)) {
      out += fish_option(*spec, condition);
    }
  }
  return out;
}

}  // namespace

Result<std::string> completion_script(std::string_view shell) {
  if (shell == "bash") return bash_script();
  if (shell == "zsh") return zsh_script();
  if (shell == "fish") return fish_script();
  return usage_error(fmt::format("completions: '{}' is not one of bash, zsh or fish",
                                 sanitize_for_terminal(shell)));
}

}  // namespace llmbatch
