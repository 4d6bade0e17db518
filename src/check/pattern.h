// Pattern: a regular expression that gives up instead of hanging. PCRE2 syntax, UTF-8, found
// anywhere in the text unless it is anchored. Thread rule: const and safe from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "llmbatch/base/result.h"

struct pcre2_real_code_8;
struct pcre2_real_match_context_8;

namespace llmbatch {

class Pattern {
 public:
  enum class Answer : std::uint8_t { found, not_found, gave_up };

  /// A failure names the place in the pattern.
  static Result<Pattern> compile(std::string_view text);
  Answer search(std::string_view text) const;
  /// Begins a new answer: after a few searches that gave up, those that follow give up at once.
  static void begin_answer();

 private:
  Pattern() = default;
  std::shared_ptr<const pcre2_real_code_8> code_;
  std::shared_ptr<pcre2_real_match_context_8> limits_;
};

}  // namespace llmbatch
