// SplitPattern: a regular expression that cuts text into the pieces that byte-pair encoding never
// merges across. PCRE2 with Unicode properties and its just-in-time compiler. Thread rule: const is
// safe, each call has its own match data.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/result.h"

namespace llmbatch {

/// What becomes of a match (Hugging Face's names).
enum class SplitBehavior {
  removed,               ///< only what stands between matches
  isolated,              ///< a piece of its own
  merged_with_previous,  ///< ends the piece before it
  merged_with_next,      ///< begins the piece after it
  contiguous,            ///< neighbouring matches become one piece
};

class SplitPattern {
 public:
  /// Fails when the pattern does not compile; the message says where.
  static Result<SplitPattern> compile(const std::string& pattern);
  static SplitPattern literal(std::string text);

  /// Appends the pieces of `text`, which must be valid UTF-8, in order. `invert`: what does not
  /// match counts as the match. Empty matches are passed over.
  void split(std::string_view text, SplitBehavior behavior, bool invert,
             std::vector<std::string_view>& out) const;

 private:
  /// One stretch of text.
  struct Span {
    std::string_view text;
    bool match = false;
  };
  SplitPattern() = default;
  void find_all(std::string_view text, bool invert, std::vector<Span>& out) const;
  template <typename Visit>
  void for_each_match(std::string_view text, Visit&& visit) const;

  std::shared_ptr<void> code_;  ///< absent: a literal
  std::string literal_;
};

}  // namespace llmbatch
