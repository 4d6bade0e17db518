// The commands of llmbatch: one table feeds parsing, help, man page and completions.
// Thread rule: constant data.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace llmbatch {

enum class Command : std::uint8_t {
  run,
  compare,
  status,
  export_results,
  estimate,
  models,
  report,
  review,
  batches_list,
  batches_show,
  batches_cancel,
  batches_forget,
  batches_write,
  batches_read,
  simulate,
  config_show,
  completions,  ///< hidden: prints a completion script
  man,          ///< hidden: prints the manual page
  help,
  version,
};

/// A set of commands: bit n stands for the command with that number.
using CommandSet = std::uint32_t;

constexpr CommandSet only(Command command) {
  return CommandSet{1} << static_cast<std::uint32_t>(command);
}
constexpr bool contains(CommandSet set, Command command) { return (set & only(command)) != 0; }

struct CommandSpec {
  Command command = Command::help;
  std::string_view name;         ///< as it is typed: `run`, `config show`
  std::string_view positionals;  ///< for the usage line: `INPUT`, `[DB]`
  std::size_t min_positionals = 0;
  std::size_t max_positionals = 0;
  std::string_view summary;      ///< one line, no full stop
  std::string_view description;  ///< paragraphs, separated by empty lines
  std::string_view examples;     ///< one command line per line, ` # ` begins its explanation
  bool hidden = false;
};

std::span<const CommandSpec> command_table();
/// The commands that begin with this word: `batches` has several, `run` is one alone.
std::vector<const CommandSpec*> commands_of(std::string_view first_word);
/// `config` of `config show`, and `show`; a command of one word has no second one.
std::string_view first_word(const CommandSpec& spec);
std::string_view second_word(const CommandSpec& spec);
const CommandSpec& command_spec(Command command);

}  // namespace llmbatch
