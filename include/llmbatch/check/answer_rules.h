// AnswerRules: the checks of a job as the user names them, and the AnswerCheck that is made of
// them. Thread rule: plain values; the check itself is const and safe from any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/result.h"
#include "llmbatch/port/answer_check.h"

namespace llmbatch {

struct AnswerRules {
  std::string schema;                ///< JSON Schema as JSON text; empty: none
  bool json = false;                 ///< the answer must be JSON
  std::vector<std::string> choices;  ///< the answer must be one of these; empty: anything
  std::string match;                 ///< regular expression found in the answer; empty: none
  /// Strings of `enum` and `const` in other letter case are mended instead of refused: Anthropic
  /// does not promise their case.
  bool any_enum_case = false;

  bool empty() const { return schema.empty() && !json && choices.empty() && match.empty(); }
};

/// Null when there is nothing to check. A failure (usage) names the place in the schema:
/// `/properties/label/type: 'strnig' is not a type`.
Result<std::unique_ptr<AnswerCheck>> make_answer_check(const AnswerRules& rules);

/// What in a usable schema has no effect on the check, such as a mistyped keyword: for warnings.
std::vector<std::string> unchecked_keywords(const std::string& schema);

/// Where a text stops being JSON: `line 3, column 14: ...`; empty when it is JSON.
std::string describe_json_error(std::string_view text);

}  // namespace llmbatch
