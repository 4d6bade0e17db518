#include <nlohmann/json.hpp>
#include <utility>

#include "answer_text.h"
#include "llmbatch/base/text.h"
#include "llmbatch/check/answer_rules.h"
#include "pattern.h"
#include "schema_check.h"
#include "schema_reader.h"

namespace llmbatch {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxShown = 60;

/// As JSON, so that line ends and control characters show.
std::string shown(std::string_view text) {
  std::string quoted;
  append_json_string(quoted, truncate_chars(text, kMaxShown));
  return quoted;
}

AnswerVerdict fails(std::string violation) { return {std::move(violation), {}, false}; }

class RulesCheck final : public AnswerCheck {
 public:
  RulesCheck(AnswerRules rules, std::unique_ptr<SchemaCheck> schema, std::optional<Pattern> match)
      : rules_(std::move(rules)), schema_(std::move(schema)), match_(std::move(match)) {
    for (const std::string& choice : rules_.choices) folded_.push_back(to_lower_ascii(choice));
  }

  AnswerVerdict check(const Completion& completion) const override {
    Pattern::begin_answer();
    if (completion.output_is_json) return fails("the answer is a tool call, not text");
    const std::string_view text = trim(completion.output);
    if (match_) {
      const auto found = match_->search(text);
      if (found == Pattern::Answer::gave_up) {
        return fails("matching " + shown(rules_.match) + " takes too long on " + shown(text));
      }
      if (found == Pattern::Answer::not_found) {
        return fails("expected a match of " + shown(rules_.match) + ", got " + shown(text));
      }
    }
    if (!rules_.choices.empty()) return check_choices(text);
    if (schema_ || rules_.json) return check_json(text);
    return {{}, completion.output, false};
  }

 private:
  AnswerVerdict check_choices(std::string_view text) const {
    const std::string folded = to_lower_ascii(text);
    for (std::size_t i = 0; i < folded_.size(); ++i) {
      // Of two that differ in letter case alone, the exact one.
      if (rules_.choices[i] == text) return {{}, rules_.choices[i], false};
    }
    for (std::size_t i = 0; i < folded_.size(); ++i) {
      if (folded_[i] == folded) return {{}, rules_.choices[i], false};
    }
    std::string all;
    for (const std::string& choice : rules_.choices) {
      if (all.size() > 3 * kMaxShown) {
        all += ", ...";
        break;
      }
      all += (all.empty() ? "" : ", ") + shown(choice);
    }
    return fails("expected one of " + all + ", got " + shown(text));
  }

  AnswerVerdict check_json(std::string_view text) const {
    text = without_fence(text);
    std::string error;
    std::optional<Json> value = parse_answer(text, error);
    if (!value) return fails("expected JSON, got " + shown(text) + ": " + error);
    if (!schema_ || schema_->fits(*value)) return {{}, std::string(text), true};
    if (rules_.any_enum_case) {
      Json mended = *value;
      schema_->mend_enum_case(mended);
      if (schema_->fits(mended)) {
        return {{}, mended.dump(-1, ' ', false, Json::error_handler_t::replace), true};
      }
    }
    std::string violation = schema_->violation(*value);
    if (violation.empty()) violation = "the answer does not fit the schema";
    return fails(std::move(violation));
  }

  AnswerRules rules_;
  std::vector<std::string> folded_;
  std::unique_ptr<SchemaCheck> schema_;
  std::optional<Pattern> match_;
};

}  // namespace

Result<std::unique_ptr<AnswerCheck>> make_answer_check(const AnswerRules& rules) {
  if (rules.empty()) return nullptr;
  std::unique_ptr<SchemaCheck> schema;
  if (!rules.schema.empty()) {
    auto made = SchemaCheck::make(rules.schema);
    if (!made) return forward_error(made);
    schema = std::move(*made);
  }
  std::optional<Pattern> match;
  if (!rules.match.empty()) {
    auto compiled = Pattern::compile(rules.match);
    if (!compiled) return forward_error(compiled);
    match = std::move(*compiled);
  }
  return std::unique_ptr<AnswerCheck>(
      std::make_unique<RulesCheck>(rules, std::move(schema), std::move(match)));
}

std::vector<std::string> unchecked_keywords(const std::string& schema) {
  std::vector<std::string> notes;
  const Json parsed = Json::parse(schema, nullptr, false);
  if (!parsed.is_discarded()) (void)read_schema(parsed, notes);
  return notes;
}

}  // namespace llmbatch
