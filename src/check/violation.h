// Why a value does not fit its schema, in one short line: the place, what was expected, what came.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace valijson {
class ValidationResults;
}

namespace llmbatch {

/// `schema` is a rewritten schema (schema_reader.h), `results` valijson's findings.
std::string describe_violation(const nlohmann::json& schema, const nlohmann::json& value,
                               const valijson::ValidationResults& results);

/// How many values `value` consists of; counts no further than `limit`.
std::size_t count_values(const nlohmann::json& value, std::size_t limit);

}  // namespace llmbatch
