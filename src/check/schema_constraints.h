// The keywords of our own that valijson calls back for: patterns and formats with PCRE2 under its
// limits, uniqueness in linear time.
#pragma once

namespace valijson {
class SchemaParser;
}

namespace llmbatch {

void add_constraints(valijson::SchemaParser& parser);

}  // namespace llmbatch
