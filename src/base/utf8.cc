#include "utf8.h"

namespace llmbatch {
namespace {

struct LeadByte {
  std::size_t length;
  unsigned char second_min;
  unsigned char second_max;
};

/// The bounds of the second byte exclude overlong forms, surrogates and values over U+10FFFF.
LeadByte classify(unsigned char lead) {
  if (lead < 0x80) return {1, 0, 0};
  if (lead < 0xC2) return {0, 0, 0};
  if (lead < 0xE0) return {2, 0x80, 0xBF};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead < 0xF0) return {3, 0x80, 0xBF};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead < 0xF4) return {4, 0x80, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

Utf8Step decode_utf8(std::string_view text, std::size_t position) {
  const auto byte_at = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
  const unsigned char lead = byte_at(position);
  const LeadByte form = classify(lead);
  if (form.length == 0) return {};
  if (form.length == 1) return {lead, 1, true};
  char32_t code = lead & (0xFFU >> (form.length + 1));
  for (std::size_t index = 1; index < form.length; ++index) {
    if (position + index >= text.size()) return {0, index, false};
    const unsigned char next = byte_at(position + index);
    const unsigned char low = index == 1 ? form.second_min : 0x80;
    const unsigned char high = index == 1 ? form.second_max : 0xBF;
    if (next < low || next > high) return {0, index, false};
    code = (code << 6U) | (next & 0x3FU);
  }
  return {code, form.length, true};
}

}  // namespace llmbatch
