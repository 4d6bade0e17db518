// What a character is for the pre-tokenisation of o200k_base. Thread rule: pure.
#pragma once

#include <array>
#include <cstdint>

namespace llmbatch {

enum class CharClass : std::uint8_t {
  upper = 1,   ///< letter in upper or title case
  lower = 2,   ///< letter in lower case
  letter = 4,  ///< letter without case, or mark within a word
  number = 8,
  space = 16,
  line_end = 32,
  other = 64,  ///< punctuation, symbols, emoji, everything else
  mark = 128,  ///< combining mark: counts as a letter in a word, and as other among others
};

constexpr bool is_any(CharClass c, unsigned classes) {
  return (static_cast<unsigned>(c) & classes) != 0;
}
inline constexpr unsigned kLetters = 1 + 2 + 4 + 128;
inline constexpr unsigned kWhite = 16 + 32;

/// Up to the end of the kana each code point has its entry.
inline constexpr std::uint32_t kClassTableSize = 0x3100;
extern const std::array<CharClass, kClassTableSize> kClassTable;
CharClass class_beyond_table(std::uint32_t code);

/// For code points from 0x80 on; by ranges, which is right for all but rare characters.
inline CharClass class_of_code_point(std::uint32_t code) {
  if (code < kClassTableSize) return kClassTable[code];
  if (code >= 0x4E00 && code < 0xA000) return CharClass::letter;
  return class_beyond_table(code);
}

}  // namespace llmbatch
