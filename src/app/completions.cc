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

/// The commands of one first word, in the order of the table.
std::vector<std::vector<const CommandSpec*>> command_groups() {
  std::vector<std::vector<const CommandSpec*>> groups;
  for (const CommandSpec* command : shown_commands()) {
    const bool known = !groups.empty() && first_word(*groups.back()[0]) == first_word(*command);
    if (!known) groups.emplace_back();
    groups.back().push_back(command);
  }
  return groups;
}

/// `list show cancel`; empty for a command of one word.
std::string second_words(const std::vector<const CommandSpec*>& group) {
  std::string words;
  for (const CommandSpec* command : group) {
    if (!words.empty()) words += ' ';
    words += second_word(*command);
  }
  return words;
}

/// What stands beside the first word in a list of commands.
std::string summary_of(const std::vector<const CommandSpec*>& group) {
  if (group.size() == 1) return std::string(group[0]->summary);
  std::string words = second_words(group);
  std::replace(words.begin(), words.end(), ' ', '/');
  return words;
}

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

/// The lines of one command within a `case`, indented by `indent`.
std::string bash_case(std::string_view word, const CommandSpec& command, std::string_view indent) {
  std::string flags = "--help";
  for (const SettingSpec* spec : flags_of(command.command)) flags += " " + spec->flag();
  return fmt::format(
      "{0}{1})\n{0}  case \"$previous\" in\n{2}{0}  esac\n{0}  flags='{3}'\n{0}  ;;\n", indent,
      word, bash_values(command.command), flags);
}

std::string bash_group(const std::vector<const CommandSpec*>& group) {
  const std::string words = second_words(group);
  if (words.empty()) return bash_case(first_word(*group[0]), *group[0], "  ");
  std::string cases;
  for (const CommandSpec* command : group) {
    cases += bash_case(second_word(*command), *command, "      ");
  }
  return fmt::format(
      "  {})\n    if [ \"$COMP_CWORD\" -eq 2 ]; then\n      words='{}'\n    else\n"
      "      case \"${{COMP_WORDS[2]}}\" in\n{}      esac\n    fi\n    ;;\n",
      first_word(*group[0]), words, cases);
}

std::string bash_script() {
  std::string words;
  std::string cases;
  for (const auto& group : command_groups()) {
    words += fmt::format("{} ", first_word(*group[0]));
    cases += bash_group(group);
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

std::string zsh_case(std::string_view word, const CommandSpec& command) {
  std::string out =
      fmt::format("    {})\n      _arguments -s \\\n        '--help[Print help]' \\\n", word);
  for (const SettingSpec* spec : flags_of(command.command)) out += zsh_option(*spec);
  return out + "        '*:file:_files'\n      ;;\n";
}

std::string zsh_group(const std::vector<const CommandSpec*>& group) {
  const std::string words = second_words(group);
  if (words.empty()) return zsh_case(first_word(*group[0]), *group[0]);
  std::string cases;
  for (const CommandSpec* command : group) cases += zsh_case(second_word(*command), *command);
  return fmt::format(
      "    {})\n      if (( CURRENT == 2 )); then\n        compadd {}\n        return\n      fi\n"
      "      command=$words[2]\n      shift words\n      (( CURRENT-- ))\n"
      "      case $command in\n{}      esac\n      ;;\n",
      first_word(*group[0]), words, cases);
}

std::string zsh_script() {
  std::string commands;
  std::string cases;
  for (const auto& group : command_groups()) {
    commands += fmt::format("    '{}:{}'\n", first_word(*group[0]), summary_of(group));
    cases += zsh_group(group);
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

void add_fish_group(const std::vector<const CommandSpec*>& group, std::string& out) {
  const std::string_view word = first_word(*group[0]);
  out += fmt::format("complete -c llmbatch -f -n __fish_use_subcommand -a {} -d '{}'\n", word,
                     summary_of(group));
  const std::string seen = fmt::format("__fish_seen_subcommand_from {}", word);
  out += fmt::format("complete -c llmbatch -n '{}' -l help -s h -d 'Print help'\n", seen);
  const std::string words = second_words(group);
  if (!words.empty()) {
    out += fmt::format(
        "complete -c llmbatch -f -n '{}; and not __fish_seen_subcommand_from {}' -a '{}'\n", seen,
        words, words);
  }
  for (const CommandSpec* command : group) {
    const std::string condition = words.empty()
                                      ? fmt::format("-n '{}'", seen)
                                      : fmt::format("-n '{}; and __fish_seen_subcommand_from {}'",
                                                    seen, second_word(*command));
    for (const SettingSpec* spec : flags_of(command->command)) {
      out += fish_option(*spec, condition);
    }
  }
}

std::string fish_script() {
  std::string out =
      "# fish completion for llmbatch\n"
      "complete -c llmbatch -n __fish_use_subcommand -l help -s h -d 'Print help'\n"
      "complete -c llmbatch -n __fish_use_subcommand -l version -s V -d 'Print the version'\n";
  for (const auto& group : command_groups()) add_fish_group(group, out);
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
