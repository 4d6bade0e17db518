#include "code_point_class.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace llmbatch {
namespace {

/// How the characters of a range are classed; `pairs`: even upper case, odd lower case.
enum class Kind : std::uint8_t { upper, lower, letter, number, space, other, mark, pairs };

struct Range {
  std::uint32_t first = 0;
  Kind kind = Kind::other;
};

using enum Kind;

// Each range ends where the next one begins. From Unicode's general categories.
constexpr Range kRanges[] = {
    // Latin
    {0x80, other},
    {0x85, space},
    {0x86, other},
    {0xA0, space},
    {0xA1, other},
    {0xAA, letter},
    {0xAB, other},
    {0xB2, number},
    {0xB4, other},
    {0xB5, lower},
    {0xB6, other},
    {0xB9, number},
    {0xBA, letter},
    {0xBB, other},
    {0xBC, number},
    {0xBF, other},
    {0xC0, upper},
    {0xD7, other},
    {0xD8, upper},
    {0xDF, lower},
    {0xF7, other},
    {0xF8, lower},
    {0x100, pairs},
    {0x250, lower},
    {0x2B0, letter},
    {0x2C2, other},
    {0x2C6, letter},
    {0x2D2, other},
    {0x300, mark},
    // Greek, Cyrillic, Armenian
    {0x370, lower},
    {0x37E, other},
    {0x37F, upper},
    {0x387, other},
    {0x388, upper},
    {0x390, lower},
    {0x391, upper},
    {0x3AC, lower},
    {0x3CF, pairs},
    {0x3F0, lower},
    {0x400, upper},
    {0x430, lower},
    {0x460, pairs},
    {0x482, other},
    {0x483, letter},
    {0x48A, pairs},
    {0x531, upper},
    {0x557, other},
    {0x560, lower},
    {0x589, other},
    // Hebrew, Arabic, Syriac and what follows
    {0x591, letter},
    {0x5BE, other},
    {0x5BF, letter},
    {0x5C0, other},
    {0x5C1, letter},
    {0x5F3, other},
    {0x610, letter},
    {0x61B, other},
    {0x620, letter},
    {0x660, number},
    {0x66A, other},
    {0x66E, letter},
    {0x6D4, other},
    {0x6D5, letter},
    {0x6DD, other},
    {0x6DF, letter},
    {0x6E9, other},
    {0x6EA, letter},
    {0x6F0, number},
    {0x6FA, letter},
    {0x6FD, other},
    {0x6FF, letter},
    {0x700, other},
    {0x70F, letter},
    {0x7C0, number},
    {0x7CA, letter},
    {0x7F6, other},
    {0x7FA, letter},
    {0x830, other},
    {0x840, letter},
    // Indic scripts: digits at 66..6F of each block of 80
    {0x964, other},
    {0x966, number},
    {0x970, other},
    {0x971, letter},
    {0x9E6, number},
    {0x9F0, letter},
    {0x9F2, other},
    {0xA01, letter},
    {0xA66, number},
    {0xA70, letter},
    {0xAE6, number},
    {0xAF0, other},
    {0xAF9, letter},
    {0xB66, number},
    {0xB70, other},
    {0xB71, letter},
    {0xBE6, number},
    {0xBF3, other},
    {0xC00, letter},
    {0xC66, number},
    {0xC70, other},
    {0xC80, letter},
    {0xCE6, number},
    {0xCF0, letter},
    {0xD66, number},
    {0xD79, other},
    {0xD7A, letter},
    {0xDE6, number},
    {0xDF0, letter},
    // Thai, Lao, Tibetan, Burmese, Georgian, Hangul, Ethiopic, Khmer and others
    {0xE3F, other},
    {0xE40, letter},
    {0xE4F, other},
    {0xE50, number},
    {0xE5A, other},
    {0xE81, letter},
    {0xED0, number},
    {0xEDA, letter},
    {0xF01, other},
    {0xF18, letter},
    {0xF20, number},
    {0xF34, letter},
    {0xF3A, other},
    {0xF3E, letter},
    {0x1040, number},
    {0x104A, other},
    {0x1050, letter},
    {0x1090, number},
    {0x109A, letter},
    {0x10A0, upper},
    {0x10D0, letter},
    {0x1360, other},
    {0x1369, number},
    {0x137D, letter},
    {0x1680, space},
    {0x1681, letter},
    {0x17D4, other},
    {0x17D7, letter},
    {0x17E0, number},
    {0x17F0, other},
    {0x180B, letter},
    {0x1810, number},
    {0x181A, letter},
    {0x1C90, upper},
    {0x1CC0, letter},
    {0x1D00, lower},
    {0x1E00, pairs},
    {0x1F00, lower},
    // Punctuation and symbols
    {0x2000, space},
    {0x200B, other},
    {0x2028, space},
    {0x202A, other},
    {0x202F, space},
    {0x2030, other},
    {0x205F, space},
    {0x2060, other},
    {0x2070, number},
    {0x2071, letter},
    {0x2074, number},
    {0x207A, other},
    {0x207F, letter},
    {0x2080, number},
    {0x208A, other},
    {0x2090, letter},
    {0x20A0, other},
    {0x20D0, mark},
    {0x2100, other},
    {0x2150, number},
    {0x218A, other},
    {0x2460, number},
    {0x249C, other},
    {0x24EA, number},
    {0x2500, other},
    {0x2776, number},
    {0x2794, other},
    {0x2C00, upper},
    {0x2C30, lower},
    {0x2C60, pairs},
    {0x2D00, letter},
    {0x2E00, other},
    // Chinese, Japanese, Korean
    {0x3000, space},
    {0x3001, other},
    {0x3005, letter},
    {0x3007, number},
    {0x3008, other},
    {0x3021, number},
    {0x302A, letter},
    {0x3030, other},
    {0x3031, letter},
    {0x3036, other},
    {0x3041, letter},
    {0x309B, other},
    {0x309D, letter},
    {0x30A0, other},
    {0x30A1, letter},
    {0x30FB, other},
    {0x30FC, letter},
    {0x3190, other},
    {0x31A0, letter},
    {0x31C0, other},
    {0x31F0, letter},
    {0x3200, other},
    {0x3220, number},
    {0x322A, other},
    {0x3251, number},
    {0x3260, other},
    {0x3280, number},
    {0x328A, other},
    {0x32B1, number},
    {0x32C0, other},
    {0x3400, letter},
    {0x4DC0, other},
    {0x4E00, letter},
    {0xA490, other},
    {0xA4D0, letter},
    {0xA640, pairs},
    {0xA66E, letter},
    {0xA722, pairs},
    {0xA7F0, letter},
    {0xD800, other},
    {0xF900, letter},
    {0xFD3E, other},
    {0xFD50, letter},
    {0xFDFC, other},
    {0xFE00, mark},
    {0xFE10, other},
    {0xFE20, letter},
    {0xFE30, other},
    {0xFE70, letter},
    {0xFEFF, other},
    {0xFF10, number},
    {0xFF1A, other},
    {0xFF21, upper},
    {0xFF3B, other},
    {0xFF41, lower},
    {0xFF5B, other},
    {0xFF66, letter},
    {0xFFE0, other},
    // Beyond the basic plane
    {0x10000, letter},
    {0x1D000, other},
    {0x1D400, lower},
    {0x1D7CE, number},
    {0x1D800, other},
    {0x1DF00, letter},
    {0x1F000, other},
    {0x20000, letter},
    {0xE0000, other},
    {0xE0100, mark},
    {0xE01F0, other},
};

constexpr CharClass class_in(Kind kind, std::uint32_t code) {
  switch (kind) {
    case upper:
      return CharClass::upper;
    case lower:
      return CharClass::lower;
    case letter:
      return CharClass::letter;
    case number:
      return CharClass::number;
    case space:
      return CharClass::space;
    case mark:
      return CharClass::mark;
    case pairs:
      return code % 2 == 0 ? CharClass::upper : CharClass::lower;
    case other:
      break;
  }
  return CharClass::other;
}

constexpr std::array<CharClass, kClassTableSize> make_table() {
  std::array<CharClass, kClassTableSize> table{};
  table.fill(CharClass::other);  // what an overlong sequence stands for
  for (std::size_t i = 0; i + 1 < std::size(kRanges); ++i) {
    const std::uint32_t end = std::min(kRanges[i + 1].first, kClassTableSize);
    for (std::uint32_t code = kRanges[i].first; code < end; ++code) {
      table[code] = class_in(kRanges[i].kind, code);
    }
  }
  return table;
}
}  // namespace

constexpr std::array<CharClass, kClassTableSize> kClassTable = make_table();

CharClass class_beyond_table(std::uint32_t code) {
  // Hangul, emoji and wide punctuation come in numbers: they are spared the search.
  if (code >= 0xAC00 && code < 0xD7A4) return CharClass::letter;
  if (code >> 12U == 0x1F) return CharClass::other;
  if (code >= 0xFF00 && code < 0xFF10) return CharClass::other;
  if (code >= 0xFF1A && code < 0xFF21) return CharClass::other;
  const auto* const after = std::ranges::upper_bound(kRanges, code, {}, &Range::first);
  return class_in(std::prev(after)->kind, code);
}

}  // namespace llmbatch
