// Text broken into lines for a terminal. Thread rule: pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llmbatch {

/// Lines of at most `columns` columns, broken at spaces where there are any. Line ends of the text
/// stay, tabs become spaces, control characters are stripped. At least one line.
std::vector<std::string> wrap_text(std::string_view text, int columns);

/// A JSON object or array with two spaces of indent; any other text as it is.
std::string pretty_json_or_text(std::string_view text);

/// An input line as a person wants to read it: `name: value` per field of a JSON object, messages
/// as `role: content`, everything else as it is.
std::string readable_input(std::string_view line);

}  // namespace llmbatch
