// Reads a JSON Schema (drafts 6 to 2020-12) strictly: what cannot be checked is refused with its
// place instead of being passed over, and what remains is rewritten into the draft 7 that valijson
// knows, with the keywords of our own below. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/result.h"

namespace llmbatch {

// Keywords that valijson would check with std::regex, which a hostile answer can crash, or in
// quadratic time.
inline constexpr const char* kPatternKeyword = "llmbatch:pattern";
inline constexpr const char* kFormatKeyword = "llmbatch:format";
inline constexpr const char* kUniqueKeyword = "llmbatch:uniqueItems";

/// The rewritten schema. `notes` gets what has no effect on the check.
Result<nlohmann::json> read_schema(const nlohmann::json& schema, std::vector<std::string>& notes);

/// The subschema that a `$ref` of the same document names, or null.
const nlohmann::json* resolve_reference(const nlohmann::json& root, std::string_view reference);

/// The regular expression of a `format` that is checked; empty for all others.
std::string_view format_pattern(std::string_view format);

}  // namespace llmbatch
