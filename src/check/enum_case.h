// Letter case of enumerated strings: providers that constrain answers by a grammar may still differ
// from the schema in nothing but case. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace llmbatch {

/// `schema` is a rewritten schema (schema_reader.h). Ambiguous spellings are left alone.
void mend_enum_case(const nlohmann::json& schema, nlohmann::json& value);

}  // namespace llmbatch
