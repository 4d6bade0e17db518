// Any bytes as an answer under every kind of check, and any bytes as a schema: no crash, no hang,
// and what passes as JSON is JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/text.h"
#include "llmbatch/check/answer_rules.h"

namespace llmbatch {
namespace {

constexpr const char* kSchemas[] = {
    R"({"type":"object","required":["label"],"additionalProperties":false,"properties":{
        "label":{"enum":["a","b"]},"n":{"type":"integer","minimum":0,"multipleOf":2},
        "s":{"type":"string","minLength":1,"maxLength":3,"pattern":"^(a+)+$"},
        "d":{"format":"date-time"},"u":{"format":"ipv6"},
        "l":{"type":"array","items":{"type":["string","null"]},"uniqueItems":true,"maxItems":3}}})",
    R"({"$ref":"#/$defs/t","$defs":{"t":{"anyOf":[{"type":"array","items":{"$ref":"#/$defs/t"}},
        {"type":"object","additionalProperties":{"$ref":"#"}},{"const":"x"},{"type":"number"}]}}})",
    R"({"if":{"required":["a"]},"then":{"required":["b"]},"else":{"not":{"required":["b"]}},
        "dependentRequired":{"c":["d"]},"propertyNames":{"maxLength":2},
        "oneOf":[{"minProperties":1},{"maxProperties":0}],"prefixItems":[{"type":"string"}],"items":false})",
};

std::vector<std::unique_ptr<AnswerCheck>> make_checks() {
  std::vector<AnswerRules> all;
  for (const char* schema : kSchemas) {
    AnswerRules rules;
    rules.schema = schema;
    rules.any_enum_case = true;
    all.push_back(rules);
  }
  AnswerRules rules;
  rules.json = true;
  all.push_back(rules);
  rules = {};
  rules.choices = {"Yes", "no", "YES"};
  all.push_back(rules);
  rules = {};
  rules.match = "^(\\w+\\s?)*$";
  all.push_back(rules);
  std::vector<std::unique_ptr<AnswerCheck>> checks;
  for (const AnswerRules& one : all) {
    auto check = make_answer_check(one);
    if (!check) std::abort();
    checks.push_back(std::move(*check));
  }
  return checks;
}

void judge(const AnswerCheck& check, const Completion& completion) {
  const AnswerVerdict verdict = check.check(completion);
  if (!verdict.violation.empty()) {
    // Everything quoted is cut short.
    if (verdict.violation.size() > 4096) std::abort();
    return;
  }
  if (verdict.output_is_json && !describe_json_error(verdict.output).empty()) std::abort();
}

}  // namespace
}  // namespace llmbatch

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace llmbatch;
  static const auto kChecks = make_checks();
  // Outputs of providers are valid UTF-8.
  Completion completion;
  completion.output = to_valid_utf8(std::string_view(reinterpret_cast<const char*>(data), size));
  for (const auto& check : kChecks) judge(*check, completion);
  // The part before the first line end as a schema for what follows.
  const std::size_t end = completion.output.find('\n');
  AnswerRules rules;
  rules.schema = completion.output.substr(0, end);
  (void)unchecked_keywords(rules.schema);
  const auto check = make_answer_check(rules);
  if (!check || *check == nullptr) return 0;
  completion.output = end == std::string::npos ? "{}" : completion.output.substr(end + 1);
  judge(**check, completion);
  return 0;
}
