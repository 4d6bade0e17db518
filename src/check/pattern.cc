#include "pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

// Steps of the matcher: a tenth of a second at the most, thousands of times what a text needs.
constexpr std::uint32_t kMaxSteps = 2'000'000;
constexpr std::uint32_t kMaxHeapKiB = 16U << 10U;

/// An answer may hold thousands of texts that are made to hang an expression.
constexpr int kMaxGivenUp = 3;
thread_local int given_up = 0;

PCRE2_SPTR8 bytes_of(std::string_view text) { return reinterpret_cast<PCRE2_SPTR8>(text.data()); }

std::string error_text(int code) {
  std::array<PCRE2_UCHAR8, 256> buffer{};
  pcre2_get_error_message_8(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

}  // namespace

Result<Pattern> Pattern::compile(std::string_view text) {
  int error = 0;
  PCRE2_SIZE at = 0;
  // As in JavaScript, whose syntax JSON Schema borrows: `$` is the very end, `\u00e4` a character.
  constexpr std::uint32_t kOptions =
      PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX;
  pcre2_code_8* code = pcre2_compile_8(bytes_of(text), text.size(), kOptions, &error, &at, nullptr);
  if (code == nullptr) {
    return usage_error("'" + truncate_chars(text, 60) + "' is no regular expression (" +
                       error_text(error) + " at character " + std::to_string(at + 1) + ")");
  }
  Pattern pattern;
  pattern.code_ = std::shared_ptr<const pcre2_code_8>(
      code, [](const pcre2_code_8* one) { pcre2_code_free_8(const_cast<pcre2_code_8*>(one)); });
  pcre2_match_context_8* limits = pcre2_match_context_create_8(nullptr);
  pcre2_set_match_limit_8(limits, kMaxSteps);
  pcre2_set_heap_limit_8(limits, kMaxHeapKiB);
  pattern.limits_ = std::shared_ptr<pcre2_match_context_8>(limits, pcre2_match_context_free_8);
  return pattern;
}

void Pattern::begin_answer() { given_up = 0; }

Pattern::Answer Pattern::search(std::string_view text) const {
  if (given_up >= kMaxGivenUp) return Answer::gave_up;
  pcre2_match_data_8* groups = pcre2_match_data_create_8(1, nullptr);
  const int found =
      pcre2_match_8(code_.get(), bytes_of(text), text.size(), 0, 0, groups, limits_.get());
  pcre2_match_data_free_8(groups);
  // Zero: found, with more groups than are asked for.
  if (found >= 0) return Answer::found;
  if (found == PCRE2_ERROR_NOMATCH) return Answer::not_found;
  ++given_up;
  return Answer::gave_up;
}

}  // namespace llmbatch
