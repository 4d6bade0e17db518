#include "llmbatch/base/hash.h"

// Inlined, the short hashes of ids cost a few nanoseconds each.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace llmbatch {
namespace {

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = (value << 8U) | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

Hash128 hash128(std::string_view bytes, std::uint64_t seed) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  return {hash.high64, hash.low64};
}

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::string to_hex(const Hash128& hash) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(32);
  for (const unsigned char byte : to_bytes(hash)) {
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 0xFU];
  }
  return hex;
}

std::array<unsigned char, 16> to_bytes(const Hash128& hash) {
  std::array<unsigned char, 16> bytes{};
  for (std::size_t index = 0; index < 8; ++index) {
    const std::size_t shift = 56 - 8 * index;
    bytes[index] = static_cast<unsigned char>(hash.high >> shift);
    bytes[index + 8] = static_cast<unsigned char>(hash.low >> shift);
  }
  return bytes;
}

std::optional<Hash128> hash128_from_bytes(std::string_view bytes) {
  if (bytes.size() != 16) return std::nullopt;
  return Hash128{read_big_endian(bytes.substr(0, 8)), read_big_endian(bytes.substr(8))};
}

}  // namespace llmbatch
