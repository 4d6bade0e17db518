// Help pages, printed from the tables of commands and settings. Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "llmbatch/app/command.h"

namespace llmbatch {

/// `llmbatch --help`: the commands and where to read on.
std::string overview_text(std::size_t width);

/// `llmbatch run --help`: usage, description, options by group with defaults, examples.
std::string help_text(Command command, std::size_t width);

/// `llmbatch batches --help`: the commands that begin with this word.
std::string group_text(std::string_view first, std::size_t width);

/// The width for help: COLUMNS between 60 and 100, else 80.
std::size_t help_width(std::string_view columns);

/// Breaks `text` into lines of at most `width` columns, each line after the first begins with
/// `indent` blanks; `column` is where the first one begins.
std::string wrap_text(std::string_view text, std::size_t width, std::size_t indent,
                      std::size_t column);

}  // namespace llmbatch
