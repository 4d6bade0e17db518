#include "split_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <utility>

namespace llmbatch {
namespace {

/// Stack of the compiled matcher where the default of 32 KiB is not enough.
constexpr std::size_t kFirstStackBytes = 64 * 1024;
constexpr std::size_t kMaxStackBytes = 16 * 1024 * 1024;

struct FreeMatch {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
  void operator()(pcre2_jit_stack* stack) const { pcre2_jit_stack_free(stack); }
};

/// The scratch space of one search.
class Matcher {
 public:
  Matcher(const pcre2_code* code, std::string_view text)
      : code_(code), text_(text), data_(pcre2_match_data_create(1, nullptr)) {}

  /// The next match at or after `from`; false when there is none, or when it is too hard to find.
  bool next(std::size_t from, std::size_t& begin, std::size_t& end) {
    int result = match(from);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT && !stack_) {
      stack_.reset(pcre2_jit_stack_create(kFirstStackBytes, kMaxStackBytes, nullptr));
      context_.reset(pcre2_match_context_create(nullptr));
      if (!stack_ || !context_) return false;
      pcre2_jit_stack_assign(context_.get(), nullptr, stack_.get());
      result = match(from);
    }
    if (result < 0) return false;
    const PCRE2_SIZE* const offsets = pcre2_get_ovector_pointer(data_.get());
    begin = offsets[0];
    end = offsets[1];
    return true;
  }

 private:
  int match(std::size_t from) {
    if (!data_) return PCRE2_ERROR_NOMEMORY;
    return pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(text_.data()), text_.size(), from,
                       PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, data_.get(), context_.get());
  }

  const pcre2_code* code_;
  std::string_view text_;
  std::unique_ptr<pcre2_match_data, FreeMatch> data_;
  std::unique_ptr<pcre2_match_context, FreeMatch> context_;
  std::unique_ptr<pcre2_jit_stack, FreeMatch> stack_;
};

}  // namespace

Result<SplitPattern> SplitPattern::compile(const std::string& pattern) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
  if (code == nullptr) {
    std::array<PCRE2_UCHAR, 256> text{};
    pcre2_get_error_message(error, text.data(), text.size());
    return failure("pattern: " + std::string(reinterpret_cast<const char*>(text.data())) +
                   " at character " + std::to_string(offset + 1) + " of '" + pattern + "'");
  }
  SplitPattern made;
  made.code_ = {code, [](void* held) { pcre2_code_free(static_cast<pcre2_code*>(held)); }};
  // Without the compiler (a hardened kernel) matching is interpreted, with the same results.
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
  return made;
}

SplitPattern SplitPattern::literal(std::string text) {
  SplitPattern made;
  made.literal_ = std::move(text);
  return made;
}

template <typename Visit>
void SplitPattern::for_each_match(std::string_view text, Visit&& visit) const {
  if (!code_) {
    if (literal_.empty()) return;
    for (std::size_t at = text.find(literal_); at != text.npos;
         at = text.find(literal_, at + literal_.size())) {
      visit(at, at + literal_.size());
    }
    return;
  }
  Matcher matcher(static_cast<const pcre2_code*>(code_.get()), text);
  std::size_t begin = 0;
  std::size_t end = 0;
  for (std::size_t from = 0; from < text.size() && matcher.next(from, begin, end); from = end) {
    visit(begin, end);
  }
}

void SplitPattern::find_all(std::string_view text, bool invert, std::vector<Span>& out) const {
  std::size_t done = 0;
  for_each_match(text, [&](std::size_t begin, std::size_t end) {
    if (begin > done) out.push_back({text.substr(done, begin - done), invert});
    out.push_back({text.substr(begin, end - begin), !invert});
    done = end;
  });
  if (done < text.size()) out.push_back({text.substr(done), invert});
}

void SplitPattern::split(std::string_view text, SplitBehavior behavior, bool invert,
                         std::vector<std::string_view>& out) const {
  std::vector<Span> spans;
  find_all(text, invert, spans);
  const std::size_t first = out.size();
  bool joins_next = false;
  bool after_match = false;
  for (const Span& span : spans) {
    // A piece that goes on is the text from its beginning to the end of this span.
    const auto extend = [&] {
      const char* const begin = out.back().data();
      out.back() = {begin, static_cast<std::size_t>(span.text.data() + span.text.size() - begin)};
    };
    bool joins = joins_next;
    joins_next = false;
    if (span.match) {
      if (behavior == SplitBehavior::removed) {
        after_match = true;
        continue;
      }
      if (behavior == SplitBehavior::merged_with_previous) {
        joins = out.size() > first && !after_match;
      }
      if (behavior == SplitBehavior::contiguous) joins = out.size() > first && after_match;
      if (behavior == SplitBehavior::merged_with_next) {
        joins = false;
        joins_next = true;
      }
    }
    after_match = span.match;
    if (joins) {
      extend();
    } else {
      out.push_back(span.text);
    }
  }
}

}  // namespace llmbatch
