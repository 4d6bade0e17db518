// 128-bit content hashes (XXH3, xxhash.com): identity of ids and requests. Not cryptographic.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace llmbatch {

struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend auto operator<=>(const Hash128&, const Hash128&) = default;
};

Hash128 hash128(std::string_view bytes, std::uint64_t seed = 0);
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);

/// 32 lower-case hexadecimal digits.
std::string to_hex(const Hash128& hash);

/// Canonical big-endian bytes, as stored in the database.
std::array<unsigned char, 16> to_bytes(const Hash128& hash);
std::optional<Hash128> hash128_from_bytes(std::string_view bytes);

}  // namespace llmbatch
