// TokenCounter: how many tokens a text is for a model. Two kinds exist: the estimate without a
// vocabulary (policy/token_count.h) and the exact one from a tokenizer file. Thread rule: const and
// safe from any thread.
#pragma once

#include <string_view>

#include "llmbatch/model/usage.h"

namespace llmbatch {

class TokenCounter {
 public:
  virtual ~TokenCounter() = default;
  /// Tokens of a plain text; any bytes are allowed, ill-formed UTF-8 counts as the characters that
  /// a decoder replaces it by.
  virtual TokenCount count(std::string_view utf8) const = 0;
};

}  // namespace llmbatch
