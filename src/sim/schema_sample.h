// An instance of a JSON Schema, so that a rehearsal with structured output is answered by something
// that passes its check. Covers what the providers allow in schemas: type, properties, items, enum,
// const, anyOf, local $ref, bounds. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace llmbatch::sim {

/// JSON text that fits `schema` (JSON text). Strings are `text`, enumerations are chosen by the
/// words of `prompt`, numbers by `hash`; empty when `schema` cannot be used.
std::string sample_schema(std::string_view schema, std::string_view text, std::string_view prompt,
                          std::uint64_t hash);

/// The answer `text` as it must not be: prose around it, or, where it is a JSON object, as often a
/// member of the wrong type. `hash` decides.
std::string spoil_answer(std::string_view text, std::uint64_t hash);

}  // namespace llmbatch::sim
