// Messages in OpenAI's style, taken apart for the wire formats that have another one. Pure
// functions.
#pragma once

#include <string>
#include <string_view>

#include "llmbatch/base/result.h"

namespace llmbatch {

/// True when the first message has the role `system` or `developer`.
bool starts_with_system(std::string_view messages);

/// Splits leading system messages off. `system` gets their text as raw JSON: one string, or an
/// array of text parts when one of them has parts; empty when there are none. `rest` gets the
/// elements after them, without brackets.
Status hoist_system(std::string_view messages, std::string& system, std::string_view& rest);

/// Appends the messages as Gemini `contents` elements, without brackets.
Status append_gemini_contents(std::string& out, std::string_view elements);

/// Appends a raw JSON string, or an array of text parts, as Gemini `parts` elements.
Status append_gemini_parts(std::string& out, std::string_view content);

}  // namespace llmbatch
