// JSON as text: checked, but never parsed into numbers, so that each value keeps its exact digits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace llmbatch {

/// `text` without the white space between its tokens; absent when it is not valid JSON (RFC 8259,
/// UTF-8), or has a number beyond the range of a double, which many readers reject.
std::optional<std::string> compact_json(std::string_view text);

}  // namespace llmbatch
