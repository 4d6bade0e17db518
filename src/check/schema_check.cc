#include "schema_check.h"

#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#include <vector>

#include "enum_case.h"
#include "llmbatch/check/answer_rules.h"
#include "schema_constraints.h"
#include "schema_reader.h"
#include "violation.h"

namespace llmbatch {

using Json = nlohmann::json;

struct SchemaCheck::State {
  Json document;  ///< rewritten
  valijson::Schema compiled;
};

SchemaCheck::SchemaCheck(std::unique_ptr<State> state) : state_(std::move(state)) {}

SchemaCheck::~SchemaCheck() = default;

Result<std::unique_ptr<SchemaCheck>> SchemaCheck::make(std::string_view schema) {
  if (auto error = describe_json_error(schema); !error.empty()) return usage_error(error);
  try {
    std::vector<std::string> notes;
    auto read = read_schema(Json::parse(schema), notes);
    if (!read) return forward_error(read);
    auto state = std::make_unique<State>();
    state->document = std::move(*read);
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    add_constraints(parser);
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(state->document),
                          state->compiled);
    return std::unique_ptr<SchemaCheck>(new SchemaCheck(std::move(state)));
  } catch (const std::exception& error) {
    return usage_error("/: no usable schema: " + std::string(error.what()));
  }
}

bool SchemaCheck::fits(const Json& value) const {
  try {
    // The validator holds a cache, which is why every call has its own.
    valijson::Validator validator;
    const valijson::adapters::NlohmannJsonAdapter target(value);
    return validator.validate(state_->compiled, target, nullptr);
  } catch (const std::exception&) {
    return false;
  }
}

std::string SchemaCheck::violation(const Json& value) const {
  // Every failing element becomes an error with its path: too many for a huge answer.
  constexpr std::size_t kMaxExplained = 20'000;
  if (count_values(value, kMaxExplained) >= kMaxExplained) {
    return "the answer does not fit the schema, and is too large to say where";
  }
  try {
    valijson::Validator validator;
    valijson::ValidationResults results;
    const valijson::adapters::NlohmannJsonAdapter target(value);
    if (validator.validate(state_->compiled, target, &results)) return {};
    return describe_violation(state_->document, value, results);
  } catch (const std::exception& error) {
    return "the answer cannot be checked: " + std::string(error.what());
  }
}

void SchemaCheck::mend_enum_case(Json& value) const {
  llmbatch::mend_enum_case(state_->document, value);
}

}  // namespace llmbatch
