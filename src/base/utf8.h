// Decoding of UTF-8 for the text functions of this module.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace llmbatch {

struct Utf8Step {
  char32_t code = 0;
  std::size_t length = 1;  ///< bytes to go on by, at least 1
  bool valid = false;      ///< false: one U+FFFD stands for `length` bytes
};

/// Decodes what starts at `position` (which must be inside `text`). An ill-formed sequence ends
/// before the first byte that cannot continue it (Unicode 15 section 3.9, maximal subparts).
Utf8Step decode_utf8(std::string_view text, std::size_t position);

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

}  // namespace llmbatch
