// How many tokens a text or a whole request is, without a vocabulary file: an estimate of the
// o200k_base count that is meant for sums over many texts. Thread rule: pure functions.
#pragma once

#include <concepts>
#include <string_view>

#include "llmbatch/model/usage.h"

namespace llmbatch {

/// Estimated tokens of a text. Any bytes are allowed.
TokenCount count_tokens(std::string_view utf8);

/// What a chat format adds to each message (its frame and role) and to each request (the opening of
/// the answer); the figures of OpenAI's cookbook. Others differ by a few, which the correction by
/// reported usage takes up.
inline constexpr TokenCount kTokensPerMessage = 4;
inline constexpr TokenCount kTokensPerRequest = 3;

/// Anything with `count(text)`, such as a TokenCounter, without owning it.
class TextCount {
 public:
  template <typename Counter>
  requires requires(const Counter& counter, std::string_view text) {
    { counter.count(text) } -> std::convertible_to<TokenCount>;
  }
  // Implicit, so that a counter can be passed as it is.
  TextCount(const Counter& counter)
      : counter_(&counter), count_([](const void* object, std::string_view text) -> TokenCount {
          return static_cast<const Counter*>(object)->count(text);
        }) {}
  TokenCount operator()(std::string_view text) const { return count_(counter_, text); }

 private:
  const void* counter_;
  TokenCount (*count_)(const void*, std::string_view);
};

/// Input tokens of the body of a request in any of the wire formats: message contents, system texts
/// and embedding inputs as decoded text, tools and answer schemas as JSON text, and the overhead
/// above. Pictures and files are left out: they cost by pixels and pages. One pass, no tree, at
/// most one allocation for all strings with escapes; any bytes are allowed.
TokenCount count_request_tokens(std::string_view body, TextCount count);
/// The same with count_tokens().
TokenCount count_request_tokens(std::string_view body);

}  // namespace llmbatch
