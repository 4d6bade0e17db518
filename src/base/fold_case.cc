#include <string>

#include "llmbatch/base/text.h"
#include "utf8.h"

namespace llmbatch {
namespace {

/// Blocks where capitals stand at a fixed distance before their small letters.
struct CapitalRange {
  char32_t first;
  char32_t last;
  char32_t distance;
};
constexpr CapitalRange kCapitals[] = {
    {0x41, 0x5A, 0x20},   {0xC0, 0xD6, 0x20},     {0xD8, 0xDE, 0x20},   {0x391, 0x3A1, 0x20},
    {0x3A3, 0x3AB, 0x20}, {0x388, 0x38A, 0x25},   {0x400, 0x40F, 0x50}, {0x410, 0x42F, 0x20},
    {0x531, 0x556, 0x30}, {0xFF21, 0xFF3A, 0x20},
};

/// Blocks where a small letter follows each capital: even capitals, or odd ones.
struct PairRange {
  char32_t first;
  char32_t last;
};
constexpr PairRange kEvenPairs[] = {{0x100, 0x12F},   {0x132, 0x137},  {0x14A, 0x177},
                                    {0x460, 0x481},   {0x48A, 0x4BF},  {0x4D0, 0x52F},
                                    {0x1E00, 0x1E95}, {0x1EA0, 0x1EFF}};
constexpr PairRange kOddPairs[] = {{0x139, 0x148}, {0x179, 0x17E}, {0x4C1, 0x4CE}};

char32_t fold(char32_t code) {
  for (const CapitalRange& range : kCapitals) {
    if (code >= range.first && code <= range.last) return code + range.distance;
  }
  for (const PairRange& range : kEvenPairs) {
    if (code >= range.first && code <= range.last) return code | 1U;
  }
  for (const PairRange& range : kOddPairs) {
    if (code >= range.first && code <= range.last) return code + (code & 1U);
  }
  switch (code) {
    case 0x386:  // Greek capital alpha with tonos
      return 0x3AC;
    case 0x38C:
      return 0x3CC;
    case 0x38E:
      return 0x3CD;
    case 0x38F:
      return 0x3CE;
    case 0x3C2:  // final sigma
      return 0x3C3;
    case 0x178:
      return 0xFF;
    default:
      return code;
  }
}

void append_utf8(std::string& out, char32_t code) {
  const auto byte = [&out](char32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0U | (code >> 6U));
    byte(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    byte(0xE0U | (code >> 12U));
    byte(0x80U | ((code >> 6U) & 0x3FU));
    byte(0x80U | (code & 0x3FU));
  } else {
    byte(0xF0U | (code >> 18U));
    byte(0x80U | ((code >> 12U) & 0x3FU));
    byte(0x80U | ((code >> 6U) & 0x3FU));
    byte(0x80U | (code & 0x3FU));
  }
}

}  // namespace

std::string fold_case(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t position = 0; position < text.size();) {
    const Utf8Step step = decode_utf8(text, position);
    if (step.valid) {
      append_utf8(out, fold(step.code));
    } else {
      out += kReplacementCharacter;
    }
    position += step.length;
  }
  return out;
}

}  // namespace llmbatch
