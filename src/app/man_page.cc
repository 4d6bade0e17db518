#include "llmbatch/app/man_page.h"

#include <fmt/core.h>

#include <algorithm>

#include "llmbatch/app/command.h"
#include "llmbatch/app/settings_table.h"
#include "llmbatch/app/version.h"

namespace llmbatch {
namespace {

/// Text as roff input: what has a meaning there is escaped, also a dot or quote that begins a line.
std::string roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else if (c == '`') {
      out += "\\(ga";
    } else if (c == '^') {
      out += "\\(ha";
    } else if (c == '~') {
      out += "\\(ti";
    } else {
      out += c;
    }
  }
  return out;
}

void add_paragraphs(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find("\n\n");
    out += roff(text.substr(0, end)) + "\n";
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    if (!text.empty()) out += ".PP\n";
  }
}

void add_option(std::string& out, const SettingSpec& spec) {
  out += ".TP\n";
  if (spec.letter != 0) out += fmt::format("\\fB\\-{}\\fR, ", spec.letter);
  out += fmt::format("\\fB{}\\fR", roff(spec.flag()));
  out += fmt::format("\\fI{}\\fR", roff(spec.value_help()));
  out += "\n" + roff(spec.help);
  if (!spec.default_text.empty()) out += roff(fmt::format(" Default: {}.", spec.default_text));
  if (spec.set_by != SetBy::flag) out += roff(fmt::format(" Environment: {}.", spec.environment()));
  out += "\n";
}

void add_examples(std::string& out, std::string_view examples) {
  out += ".PP\nExamples:\n.PP\n.nf\n.RS 4\n";
  out += roff(examples) + "\n.RE\n.fi\n";
}

void add_command(std::string& out, const CommandSpec& command) {
  out += fmt::format(".SH \"LLMBATCH {}\"\n", [&] {
    std::string upper(command.name);
    std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return upper;
  }());
  add_paragraphs(out, command.description);
  std::string_view group;
  for (const SettingSpec* spec : settings_of(command.command)) {
    if (!contains(spec->commands, command.command)) continue;
    if (spec->group != group) {
      group = spec->group;
      out += fmt::format(".SS \"{}\"\n", roff(group));
    }
    add_option(out, *spec);
  }
  add_examples(out, command.examples);
}

constexpr std::string_view kExitStatus = R"(.SH "EXIT STATUS"
.TP
.B 0
every item succeeded
.TP
.B 1
the run could not go on (disk full, database error)
.TP
.B 2
usage, configuration or unreadable input; nothing was sent
.TP
.B 3
finished, some items are not succeeded
.TP
.B 4
paused by a guard, resumable
.TP
.B 5
the database is in use by another process
.TP
.B 6
provider batches are in progress (\-\-no\-wait)
.TP
.BR 130 ", " 143
interrupted, resumable
.SH SIGNALS
The first SIGINT or SIGTERM drains: nothing new is sent, calls in flight finish and are stored.
The second aborts.
SIGUSR1 prints a status line.
)";

constexpr std::string_view kFiles = R"(.SH CONFIGURATION
A flag wins over the environment, that over
.IR ./llmbatch.toml ,
that over
.IR $XDG_CONFIG_HOME/llmbatch/config.toml
(or
.IR \(ti/.config/llmbatch/config.toml ).
Keys are named like the flags without dashes.
Those of run stand at the top level or in the section [run], those of other commands in a section with
the name of the command.
Paths in a file are taken from the directory of the file.
API keys are read from the environment or from a file, never from a flag.
.SH FILES
.TP
.I INPUT.llmbatch.db
The database of a job, next to its input: SQLite, with one result per item.
)";

}  // namespace

std::string man_page() {
  std::string out =
      fmt::format(".TH LLMBATCH 1 \"\" \"llmbatch {}\" \"User Commands\"\n", kVersion);
  // Names of flags and variables are to be found and copied whole: no hyphenation.
  out += ".nh\n.ad l\n.SH NAME\nllmbatch \\- batch runner for LLM calls\n.SH SYNOPSIS\n.nf\n";
  for (const CommandSpec& command : command_table()) {
    if (command.hidden) continue;
    out += fmt::format("\\fBllmbatch {}\\fR {}[\\fIOPTIONS\\fR]\n", roff(command.name),
                       command.positionals.empty() ? "" : roff(command.positionals) + " ");
  }
  out += ".fi\n.SH DESCRIPTION\n";
  add_paragraphs(out,
                 "llmbatch takes a JSONL file of any size, sends every item to an LLM exactly as "
                 "fast as the account allows, survives what happens on the way, and leaves one "
                 "SQLite file with one result per item.");
  for (const CommandSpec& command : command_table()) {
    if (!command.hidden) add_command(out, command);
  }
  out += kExitStatus;
  out += kFiles;
  return out;
}

}  // namespace llmbatch
