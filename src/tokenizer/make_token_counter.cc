#include "llmbatch/tokenizer/make_token_counter.h"

#include <fmt/format.h>

#include <utility>

#include "llmbatch/base/fd.h"
#include "llmbatch/base/text.h"
#include "llmbatch/policy/token_count.h"
#include "tokenizer_files.h"

namespace llmbatch {
namespace {

/// The largest files there are hold some 20 MB.
constexpr std::size_t kMaxFileBytes = std::size_t{256} * 1024 * 1024;

class EstimatingCounter final : public TokenCounter {
 public:
  TokenCount count(std::string_view utf8) const override { return count_tokens(utf8); }
};

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

Result<TokenCounterChoice> make_token_counter(const std::optional<std::string>& tokenizer_file) {
  if (!tokenizer_file) {
    return TokenCounterChoice{std::make_unique<EstimatingCounter>(), "estimate without a tokenizer",
                              false};
  }
  const std::string& path = *tokenizer_file;
  auto content = read_file(path, kMaxFileBytes);
  if (!content) return usage_error(content.error().message);
  const std::string_view name = name_of(path);
  const bool is_json = trim(std::string_view(*content).substr(0, 64)).starts_with('{');
  const NamedPattern pattern = pattern_for(name);
  auto tokenizer =
      is_json ? read_tokenizer_json(*content) : read_tiktoken(*content, pattern.pattern);
  if (!tokenizer) return usage_error(path + ": " + tokenizer.error().message);
  const auto size = static_cast<std::int64_t>((*tokenizer)->vocabulary_size());
  std::string description = fmt::format("{} ({} tokens", name, group_digits(size));
  if (!is_json) description += fmt::format(", pattern of {}", pattern.name);
  return TokenCounterChoice{std::move(*tokenizer), description + ")", true};
}

}  // namespace llmbatch
