// AnswerCheck: what an answer has to be, beyond having come. Pure functions of the answer.
// Thread rule: const and safe from any thread.
#pragma once

#include <string>

#include "llmbatch/model/outcome.h"

namespace llmbatch {

/// What a check says of one answer.
struct AnswerVerdict {
  /// Why the answer fails, in one short line: where, what was expected, what came. Empty: it
  /// passes.
  std::string violation;
  /// For an answer that passes: what is stored as its output instead of the text.
  std::string output;
  bool output_is_json = false;  ///< `output` is JSON text
};

class AnswerCheck {
 public:
  virtual ~AnswerCheck() = default;
  /// Never fails, never throws, and ends in bounded time whatever the answer holds.
  virtual AnswerVerdict check(const Completion& completion) const = 0;
};

}  // namespace llmbatch
