// Text for HTML pages. Everything that models, servers, inputs or command lines brought goes
// through escape_html(). Thread rule: none, plain functions.
#pragma once

#include <string>
#include <string_view>

namespace llmbatch {

/// Safe as content of an element and inside a quoted attribute: markup characters become entities,
/// control characters, bidi controls and invalid UTF-8 become U+FFFD. Line feeds and tabs stay.
std::string escape_html(std::string_view text);

/// The same of the first `max_chars` characters, with an ellipsis where something was cut.
std::string escape_excerpt(std::string_view text, std::size_t max_chars);

}  // namespace llmbatch
