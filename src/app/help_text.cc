#include "llmbatch/app/help_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "llmbatch/app/settings_table.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

/// Where the explanations begin; a longer option gets a line of its own.
constexpr std::size_t kHelpColumn = 28;

std::string paragraphs(std::string_view text, std::size_t width) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find("\n\n");
    out += wrap_text(text.substr(0, end), width, 0, 0);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    out += text.empty() ? "\n" : "\n\n";
  }
  return out;
}

void add_row(std::string& out, const std::string& left, std::string_view right, std::size_t width) {
  std::string line = "  " + left;
  if (line.size() + 2 > kHelpColumn) {
    out += line + "\n";
    line.clear();
  }
  line.resize(kHelpColumn, ' ');
  out += line + wrap_text(right, width, kHelpColumn, kHelpColumn) + "\n";
}

std::string option_label(const SettingSpec& spec) {
  std::string label = spec.letter != 0 ? fmt::format("-{}, ", spec.letter) : std::string("    ");
  return label + spec.flag() + spec.value_help();
}

std::string option_help(const SettingSpec& spec) {
  std::string help(spec.help);
  if (!spec.default_text.empty()) help += fmt::format(" (default: {})", spec.default_text);
  return help;
}

void add_options(std::string& out, Command command, std::size_t width) {
  std::vector<std::string_view> groups;
  std::vector<const SettingSpec*> specs;
  for (const SettingSpec* spec : settings_of(command)) {
    if (!contains(spec->commands, command)) continue;
    specs.push_back(spec);
    if (std::find(groups.begin(), groups.end(), spec->group) == groups.end()) {
      groups.push_back(spec->group);
    }
  }
  for (const std::string_view group : groups) {
    out += fmt::format("\n{}:\n", group);
    for (const SettingSpec* spec : specs) {
      if (spec->group == group) add_row(out, option_label(*spec), option_help(*spec), width);
    }
  }
  out += "\nOther:\n";
  add_row(out, "-h, --help", "Print this help.", width);
}

}  // namespace

std::string wrap_text(std::string_view text, std::size_t width, std::size_t indent,
                      std::size_t column) {
  std::string out;
  const std::size_t first_column = column;
  while (!text.empty()) {
    const std::size_t start = text.find_first_not_of(" \n");
    if (start == std::string_view::npos) break;
    text.remove_prefix(start);
    const std::string_view word = text.substr(0, text.find_first_of(" \n"));
    text.remove_prefix(word.size());
    const auto word_width = static_cast<std::size_t>(std::max(0, display_width(word)));
    if (!out.empty() && column + 1 + word_width > width) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!out.empty() && column > first_column) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word_width;
  }
  return out;
}

std::size_t help_width(std::string_view columns) {
  std::size_t width = 80;
  std::from_chars(columns.data(), columns.data() + columns.size(), width);
  return std::clamp<std::size_t>(width, 60, 100);
}

std::string overview_text(std::size_t width) {
  std::string out = "usage: llmbatch COMMAND [OPTIONS]\n\n";
  out += paragraphs(
      "Sends every item of a JSONL file to an LLM, as fast as the account allows, survives "
      "crashes, and keeps one result per item in a SQLite file.",
      width);
  out += "\nCommands:\n";
  for (const CommandSpec& spec : command_table()) {
    if (spec.hidden) continue;
    std::string name(spec.name);
    if (!spec.positionals.empty()) name += fmt::format(" {}", spec.positionals);
    add_row(out, name, spec.summary, width);
  }
  out += "\nOptions:\n";
  add_row(out, "-h, --help", "Print this help; with a command, its help.", width);
  add_row(out, "-V, --version", "Print the version.", width);
  out += "\nExit codes:\n";
  add_row(out, "0", "every item succeeded", width);
  add_row(out, "1", "the run could not go on (disk full, database error)", width);
  add_row(out, "2", "usage, configuration or unreadable input; nothing was sent", width);
  add_row(out, "3", "finished, some items are not 'succeeded'", width);
  add_row(out, "4", "paused by a guard, resumable", width);
  add_row(out, "5", "the database is in use by another process", width);
  add_row(out, "6", "provider batches are in progress (--no-wait)", width);
  add_row(out, "130, 143", "interrupted, resumable", width);
  out += "\n";
  out += paragraphs("Start with: llmbatch run tickets.jsonl --model openai/gpt-4o-mini --rpm 500",
                    width);
  return out;
}

std::string group_text(std::string_view first, std::size_t width) {
  std::string out = fmt::format("usage: llmbatch {} COMMAND [OPTIONS]\n\nCommands:\n", first);
  for (const CommandSpec* spec : commands_of(first)) {
    add_row(out, fmt::format("{} {}", second_word(*spec), spec->positionals), spec->summary, width);
  }
  out += "\n" + paragraphs(fmt::format("Help on one of them: llmbatch {} {} --help", first,
                                       second_word(*commands_of(first).front())),
                           width);
  return out;
}

std::string help_text(Command command, std::size_t width) {
  const CommandSpec& spec = command_spec(command);
  std::string out = fmt::format("usage: llmbatch {} ", spec.name);
  if (!spec.positionals.empty()) out += fmt::format("{} ", spec.positionals);
  out += "[OPTIONS]\n\n";
  out += paragraphs(spec.description, width);
  add_options(out, command, width);
  if (!spec.hidden && command != Command::config_show) {
    const std::string prefix = command == Command::export_results ? "EXPORT_"
                               : command == Command::review       ? "REVIEW_"
                               : command == Command::simulate     ? "SIMULATE_"
                                                                  : "";
    out += "\n" + paragraphs(fmt::format("Most options can also be set by the environment "
                                         "(LLMBATCH_{}...) or in llmbatch.toml; see 'llmbatch "
                                         "config show'. The flag wins.",
                                         prefix),
                             width);
  }
  out += "\nExamples:\n";
  std::string_view examples = spec.examples;
  while (!examples.empty()) {
    const std::string_view line = examples.substr(0, examples.find('\n'));
    out += fmt::format("  {}\n", line);
    examples.remove_prefix(std::min(line.size() + 1, examples.size()));
  }
  return out;
}

}  // namespace llmbatch
