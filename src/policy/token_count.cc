#include "llmbatch/policy/token_count.h"

#include <cstdint>

namespace llmbatch {
namespace {

bool is_letter(unsigned char c) { return (c | 0x20U) - 'a' < 26U; }
bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }
bool is_space(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

TokenCount count_tokens(std::string_view utf8) {
  TokenCount tokens = 0;
  std::size_t at = 0;
  const auto run = [&](auto&& member) {
    const std::size_t begin = at;
    while (at < utf8.size() && member(static_cast<unsigned char>(utf8[at]))) ++at;
    return static_cast<TokenCount>(at - begin);
  };
  while (at < utf8.size()) {
    const auto c = static_cast<unsigned char>(utf8[at]);
    if (is_letter(c)) {
      tokens += 1 + run(is_letter) / 9;
    } else if (is_digit(c)) {
      tokens += (run(is_digit) + 2) / 3;
    } else if (is_space(c)) {
      if (run(is_space) > 1) ++tokens;
    } else if (c < 0x80) {
      tokens += (run([](unsigned char b) {
                   return b < 0x80 && !is_letter(b) && !is_digit(b) && !is_space(b);
                 }) +
                 2) /
                3;
    } else {
      // A token holds about four letters of two bytes, or one and a half of three.
      const TokenCount bytes = run([](unsigned char b) { return b >= 0x80; });
      tokens += (bytes + 4) / 5;
    }
  }
  return tokens;
}

}  // namespace llmbatch
