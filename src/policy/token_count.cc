// The estimate emulates o200k_base: text is cut into pieces by its pre-tokenisation, and a piece
// that is no token is cut into the longest tokens that fit, one after the other. Byte-pair encoding
// would merge in another order, but arrives at nearly the same number.
#include "llmbatch/policy/token_count.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "code_point_class.h"
#include "token_filter.h"

namespace llmbatch {
namespace {

/// How far a longer token of Chinese or Japanese is looked for: two characters.
constexpr std::size_t kHop = 6;
/// White space beyond this length is not looked up.
constexpr std::size_t kLongestBlank = 64;

constexpr std::array<CharClass, 128> make_ascii() {
  std::array<CharClass, 128> table{};
  for (unsigned c = 0; c < 128; ++c) {
    CharClass kind = CharClass::other;
    if (c >= 'A' && c <= 'Z') kind = CharClass::upper;
    if (c >= 'a' && c <= 'z') kind = CharClass::lower;
    if (c >= '0' && c <= '9') kind = CharClass::number;
    if (c == ' ' || c == '\t' || c == '\v' || c == '\f') kind = CharClass::space;
    if (c == '\n' || c == '\r') kind = CharClass::line_end;
    table[c] = kind;
  }
  return table;
}
constexpr std::array<CharClass, 128> kAscii = make_ascii();

struct Char {
  CharClass kind{};  ///< none at the end of the text
  std::uint32_t length = 0;
};

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_small(char c) { return c >= 'a' && c <= 'z'; }
bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80; }

using enum CharClass;

constexpr unsigned operator|(CharClass a, CharClass b) {
  return static_cast<unsigned>(a) | static_cast<unsigned>(b);
}
constexpr unsigned operator|(unsigned a, CharClass b) { return a | static_cast<unsigned>(b); }

constexpr std::uint64_t kEachByte = 0x0101010101010101U;
constexpr std::uint64_t kHighBits = 0x8080808080808080U;

/// How many of the eight bytes, from the lowest on, are small letters of ASCII.
unsigned small_letters(std::uint64_t bytes) {
  const std::uint64_t low = bytes & ~kHighBits;
  const std::uint64_t from_a = low + kEachByte * (0x80 - 'a');
  const std::uint64_t beyond_z = low + kEachByte * (0x80 - 'z' - 1);
  const std::uint64_t others = ~(from_a & ~beyond_z & ~bytes) & kHighBits;
  return static_cast<unsigned>(std::countr_zero(others)) / 8;
}

/// Within a piece no token is looked for that is longer: few are, and each try costs time.
std::size_t longest_part(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte < 0x80) return 16;
  return byte < 0xF0 ? 24 : 8;  // two emoji
}

/// Whether the cut is inside a character of at most three bytes; emoji are often cut.
bool cuts_letter(const char* begin, std::size_t length) {
  if (!continues(begin[length])) return false;
  while (length > 1 && continues(begin[length - 1])) --length;
  return static_cast<unsigned char>(begin[length - 1]) < 0xF0;
}

class TextWalk {
 public:
  explicit TextWalk(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  TokenCount run() {
    while (at_ != end_) {
      if (take_simple_word()) continue;
      const char* const begin = at_;
      const Char first = char_at(begin);
      if (is_any(first.kind, kLetters)) {
        at_ = end_of_word(begin);
      } else if (first.kind == CharClass::number) {
        at_ = end_of_number(begin);
      } else if (first.kind == CharClass::line_end) {
        at_ = end_of_blank(begin);
      } else {
        at_ = end_of_prefixed(begin, first);
      }
      tokens_ += count_piece(begin, at_);
    }
    return tokens_;
  }

 private:
  /// A word of ASCII after at most one space, as most pieces are; false when this is none.
  bool take_simple_word() {
    const char* at = at_ + (*at_ == ' ' ? 1 : 0);
    if (end_ - at < 24) return false;
    const bool small = is_small(*at);
    if (!small && !is_capital(*at)) return false;
    ++at;
    unsigned count = small_letters(load_bytes(at, 8));
    at += count;
    if (count == 8) {
      count = small_letters(load_bytes(at, 8));
      at += count;
      if (count == 8) return false;
    }
    const char next = *at;
    const auto length = static_cast<std::size_t>(at - at_);
    const bool alone = !small && length - (*at_ == ' ' ? 1U : 0U) == 1;
    if (static_cast<signed char>(next) < 0 || next == '\'' || (alone && is_capital(next)))
      return false;
    const std::uint64_t bytes =
        load_bytes(at_, 8) & (~std::uint64_t{0} >> (8 - std::min<std::size_t>(length, 8)) * 8);
    const bool known = length <= 8 ? TokenProbe::is_short_token(bytes, length)
                                   : TokenProbe(at_, end_).is_token(length);
    tokens_ += known ? 1 : count_parts(at_, at);
    at_ = at;
    return true;
  }

  Char char_at(const char* at) const {
    if (at == end_) return {};
    const auto byte = static_cast<unsigned char>(*at);
    if (byte < 0x80) return {kAscii[byte], 1};
    return decode(at);
  }

  Char decode(const char* at) const {
    const auto byte = [at](std::size_t i) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(at[i]));
    };
    const auto more = [&](std::size_t i) { return byte(i) & 0x3FU; };
    const auto left = static_cast<std::size_t>(end_ - at);
    const std::uint32_t lead = byte(0);
    if (lead >= 0xC2 && lead < 0xE0 && left >= 2) {
      return {class_of_code_point((lead & 0x1FU) << 6U | more(1)), 2};
    }
    if (lead >= 0xE0 && lead < 0xF0 && left >= 3) {
      return {class_of_code_point((lead & 0xFU) << 12U | more(1) << 6U | more(2)), 3};
    }
    if (lead >= 0xF0 && lead < 0xF5 && left >= 4) {
      return {class_of_code_point((lead & 0x7U) << 18U | more(1) << 12U | more(2) << 6U | more(3)),
              4};
    }
    return {CharClass::other, 1};
  }

  /// The end of the characters of these classes that start at `at`.
  const char* skip(const char* at, unsigned classes) const {
    while (at != end_) {
      const Char next = char_at(at);
      if (!is_any(next.kind, classes)) break;
      at += next.length;
    }
    return at;
  }

  /// Capitals, then small letters, then a contraction such as 's or 'll.
  const char* end_of_word(const char* at) const {
    at = skip(at, upper | letter | mark);
    at = skip(at, lower | letter | mark);
    if (at == end_ || *at != '\'') return at;
    const auto small_at = [&](std::ptrdiff_t i) { return end_ - at > i ? at[i] | 0x20 : 0; };
    const int one = small_at(1);
    const int two = small_at(2);
    if (one == 's' || one == 't' || one == 'd' || one == 'm') return at + 2;
    const bool pair =
        (one == 'l' && two == 'l') || (one == 'v' && two == 'e') || (one == 'r' && two == 'e');
    return pair ? at + 3 : at;
  }

  /// At most three digits.
  const char* end_of_number(const char* at) const {
    for (int digits = 0; digits < 3; ++digits) {
      const Char next = char_at(at);
      if (next.kind != CharClass::number) break;
      at += next.length;
    }
    return at;
  }

  /// White space up to its last line end; without one, all of it but what belongs to the next word.
  const char* end_of_blank(const char* at) const {
    const char* after_line = nullptr;
    const char* last = at;
    const char* const begin = at;
    while (at != end_) {
      const Char next = char_at(at);
      if (!is_any(next.kind, kWhite)) break;
      last = at;
      at += next.length;
      if (next.kind == CharClass::line_end) after_line = at;
    }
    if (after_line != nullptr) return after_line;
    return at != end_ && last != begin ? last : at;
  }

  /// What begins with neither letter, digit nor line end: a word after one such character,
  /// punctuation, possibly after one space, or white space.
  const char* end_of_prefixed(const char* begin, Char first) const {
    const char* const next = begin + first.length;
    const Char second = char_at(next);
    if (is_any(second.kind, kLetters)) return end_of_word(next);
    const bool spaced = *begin == ' ' && second.kind == CharClass::other;
    if (first.kind != CharClass::other && !spaced) return end_of_blank(begin);
    const char* at = skip(next, other | mark);
    while (at != end_ && (*at == '\n' || *at == '\r' || *at == '/')) ++at;
    return at;
  }

  TokenCount count_piece(const char* begin, const char* end) const {
    const auto length = static_cast<std::size_t>(end - begin);
    if (length == 1) return 1;
    if (length <= TokenProbe::kMaxLength && TokenProbe(begin, end_).is_token(length)) return 1;
    if (length > kLongestBlank && is_blank(begin[0]) && is_blank(end[-1])) {
      return static_cast<TokenCount>(length / kLongestBlank + 1);
    }
    return count_parts(begin, end);
  }

  TokenCount count_parts(const char* begin, const char* end) const {
    TokenCount parts = 0;
    while (begin != end) {
      begin += longest_token(begin, static_cast<std::size_t>(end - begin));
      ++parts;
    }
    return parts;
  }

  /// The length of the longest token that starts at `begin`, in at most `left` bytes.
  std::size_t longest_token(const char* begin, std::size_t left) const {
    const auto lead = static_cast<unsigned char>(*begin);
    if (lead >= 0xE3 && lead <= 0xE9 && left >= 6 && end_ - begin >= 8) {
      const std::size_t longest = longest_ideographs(begin, left);
      if (longest > 0) return longest;
      left = 2;
    }
    TokenProbe probe(begin, end_);
    const std::size_t character = std::max<std::size_t>(char_at(begin).length, 1);
    for (std::size_t length = std::min(left, longest_part(*begin)); length > 1; --length) {
      // Tokens seldom end within a character, but for those that no token holds whole.
      if (length > character && length < left && cuts_letter(begin, length)) continue;
      if (probe.is_token(length)) return length;
    }
    return 1;
  }

  /// The same for Chinese and Japanese, of which nearly every token goes on from a shorter one; 0
  /// when not even the first character is one.
  std::size_t longest_ideographs(const char* begin, std::size_t left) const {
    const std::uint64_t bytes = load_bytes(begin, 8);
    constexpr std::uint64_t kOne = 0xFFFFFF;
    constexpr std::uint64_t kTwo = 0xFFFFFFFFFFFF;
    if (!TokenProbe::is_short_token(bytes & kTwo, 6)) {
      return TokenProbe::is_short_token(bytes & kOne, 3) ? 3 : 0;
    }
    std::size_t longest = 6;
    TokenProbe probe(begin, end_);
    for (std::size_t length = 9; length <= left && length <= longest + kHop; length += 3) {
      if (probe.is_token(length)) longest = length;
    }
    return longest;
  }

  const char* at_;
  const char* end_;
  TokenCount tokens_ = 0;
};

}  // namespace

TokenCount count_tokens(std::string_view utf8) { return TextWalk(utf8).run(); }

}  // namespace llmbatch
