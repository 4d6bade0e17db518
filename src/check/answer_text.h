// What of an answer's text is the answer: without white space and code fences around it. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace llmbatch {

/// The text without a Markdown code fence around it (three backticks, with or without a language).
std::string_view without_fence(std::string_view text);

/// Nested deeper, an answer is refused: everything that walks it may use the stack.
inline constexpr int kMaxDepth = 128;

/// The parsed value, or nothing; `error` then says why. Whole numbers written as decimals (`5.0`)
/// are whole numbers, as JSON Schema has it.
std::optional<nlohmann::json> parse_answer(std::string_view text, std::string& error);

}  // namespace llmbatch
