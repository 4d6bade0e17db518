// The subsets of JSON Schema that providers take. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace llmbatch {

/// Why OpenAI would not take the schema as strict, with the place; empty when it would.
std::string strict_obstacle(const nlohmann::ordered_json& schema);

/// Without what says nothing about the answer's form (`$schema`, `default`, `examples`, ...).
nlohmann::ordered_json without_annotations(const nlohmann::ordered_json& schema);

/// What Anthropic takes: bounds and the like become words of the description, objects are closed.
/// Absent when the schema cannot be said that way (recursion, objects with free names).
std::optional<nlohmann::ordered_json> anthropic_subset(const nlohmann::ordered_json& schema);

/// What Gemini's responseJsonSchema takes.
nlohmann::ordered_json gemini_subset(const nlohmann::ordered_json& schema);

}  // namespace llmbatch
