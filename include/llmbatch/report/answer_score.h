// AnswerScorer: whether a model's answer is the expected one, for `compare`. Values travel as JSON
// text, so that "12", 12 and null stay apart. Thread rule: const and safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "llmbatch/base/result.h"

namespace llmbatch {

enum class MatchMode {
  exact,     ///< the same text, white space around it aside; numbers and objects by value
  casefold,  ///< the same without case, white space, and quotes and full stops around it
  numeric,   ///< the same number: `1,299.00`, `$1299` and 1299 are equal
};

std::string_view to_string(MatchMode mode);
std::optional<MatchMode> parse_match_mode(std::string_view name);

struct ScoreRule {
  /// Field of the input line with the expected value: a name, or a path with dots (`meta.label`).
  /// Empty: nothing is expected.
  std::string expected_field;
  MatchMode mode = MatchMode::exact;
  /// JSON pointer (RFC 6901) to what is compared inside an answer that is JSON; empty: all of it.
  std::string answer_pointer;
};

class AnswerScorer {
 public:
  /// Fails (usage) when the pointer is none.
  static Result<AnswerScorer> create(ScoreRule rule);

  const ScoreRule& rule() const { return rule_; }

  /// The expected value in an input line, as JSON text; absent when there is none or it is null.
  std::optional<std::string> expected(std::string_view line) const;

  /// The part of an answer that is compared, as JSON text; absent when the answer is not JSON or
  /// has nothing at the pointer.
  std::optional<std::string> answer(std::string_view output, bool output_is_json) const;

  bool matches(const std::string& expected, const std::string& answer) const;
  /// The same under another mode than the rule's.
  static bool matches(const std::string& expected, const std::string& answer, MatchMode mode);

 private:
  explicit AnswerScorer(ScoreRule rule) : rule_(std::move(rule)) {}
  ScoreRule rule_;
};

/// A value for people: a string without its quotes, else the JSON text.
std::string value_text(const std::string& json);

/// The line without `model`, in itself and in its `body`, so that a job's model is used; absent
/// when it names none.
std::optional<std::string> without_own_model(std::string_view line);

}  // namespace llmbatch
