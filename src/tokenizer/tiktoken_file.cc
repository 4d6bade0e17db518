#include <array>
#include <charconv>
#include <string>

#include "tokenizer_files.h"

namespace llmbatch {
namespace {

constexpr NamedPattern kPatterns[] = {
    {"o200k_base",
     R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
     R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
     R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"cl100k_base", R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3})"
                    R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+$|\s*[\r\n]|\s+(?!\S)|\s)"},
    {"p50k_base", R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"},
    {"r50k_base", R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"},
};

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

/// False when `text` is not base64 with its padding.
bool decode_base64(std::string_view text, std::string& out) {
  out.clear();
  if (text.empty() || text.size() % 4 != 0) return false;
  while (text.ends_with('=')) text.remove_suffix(1);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) return false;
    bits = bits << 6U | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xFFU);
    }
  }
  return !out.empty();
}

}  // namespace

NamedPattern pattern_for(std::string_view file_name) {
  for (const NamedPattern& named : kPatterns) {
    if (file_name.find(named.name.substr(0, named.name.find('_'))) != file_name.npos) return named;
  }
  return kPatterns[0];
}

Result<std::unique_ptr<Tokenizer>> read_tiktoken(std::string_view content,
                                                 std::string_view pattern) {
  Vocabulary vocabulary(content.size() / 16);
  std::string bytes;
  for (std::size_t line = 1; !content.empty(); ++line) {
    const std::size_t end = std::min(content.find('\n'), content.size());
    std::string_view text = content.substr(0, end);
    content.remove_prefix(std::min(end + 1, content.size()));
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.empty()) continue;
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view number = text.substr(std::min(space + 1, text.size()));
    TokenId rank = 0;
    const auto [rest, error] = std::from_chars(number.data(), number.data() + number.size(), rank);
    const bool is_number = error == std::errc() && rest == number.data() + number.size() &&
                           rank != BytePairEncoder::kUnknown;
    if (!is_number || !decode_base64(text.substr(0, space), bytes)) {
      return usage_error("line " + std::to_string(line) + ": not a token in base64 and its rank");
    }
    if (!vocabulary.add(bytes, rank)) {
      return usage_error("line " + std::to_string(line) + ": this token stands twice");
    }
  }
  if (vocabulary.size() == 0) return usage_error("no tokens in it");
  auto compiled = SplitPattern::compile(std::string(pattern));
  if (!compiled) return forward_error(compiled);
  TokenizerParts parts{BytePairEncoder(std::move(vocabulary)), {}, {}};
  parts.steps.push_back({std::move(*compiled)});
  return std::make_unique<Tokenizer>(std::move(parts));
}

}  // namespace llmbatch
