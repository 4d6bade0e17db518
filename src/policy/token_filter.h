// Which byte strings are tokens of o200k_base: a blocked Bloom filter of 512 KiB that is part of
// the program (token_filter.bin, made by scripts/make-token-filter.py). It says yes to every token,
// and to about one in a thousand other strings. Thread rule: pure.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace llmbatch {

inline constexpr std::size_t kTokenFilterWords = std::size_t{1} << 16U;
extern const std::uint64_t kTokenFilter[kTokenFilterWords];

/// At most eight bytes as a number, the first one lowest.
inline std::uint64_t load_bytes(const char* at, std::size_t count) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, at, count);
  if constexpr (std::endian::native == std::endian::big) bytes = __builtin_bswap64(bytes);
  return bytes;
}

/// The hashes of the prefixes of one stretch of text, of which each costs a few instructions.
class TokenProbe {
 public:
  /// What starts at `text`; nothing at or beyond `end` is read.
  TokenProbe(const char* text, const char* end) : text_(text), end_(end) { states_[0] = 0; }

  /// Whether the first `length` bytes are a token, 1 to kMaxLength.
  bool is_token(std::size_t length) {
    const std::size_t whole = (length - 1) / 8;
    while (hashed_ < whole) {
      states_[hashed_ + 1] = (states_[hashed_] ^ load(hashed_ * 8)) * kMultiplier;
      states_[hashed_ + 1] ^= states_[hashed_ + 1] >> 29U;
      ++hashed_;
    }
    if (loaded_ != whole) {
      loaded_ = whole;
      rest_ = load(whole * 8);
    }
    const std::uint64_t rest = rest_ & ~std::uint64_t{0} >> (whole * 8 + 8 - length) * 8;
    std::uint64_t hash = (states_[whole] ^ rest ^ length * kLengthMultiplier) * kMultiplier;
    hash ^= hash >> 32U;
    return holds(hash * kFinalMultiplier);
  }

  static constexpr std::size_t kMaxLength = 64;

  /// The same for at most eight bytes, which are given with zeros behind them.
  static bool is_short_token(std::uint64_t bytes, std::size_t length) {
    const std::uint64_t hash = (bytes ^ length * kLengthMultiplier) * kMultiplier;
    return holds((hash ^ hash >> 32U) * kFinalMultiplier);
  }

 private:
  // Odd numbers without a pattern (the golden ratio, and the constants of splitmix64).
  static constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15U;
  static constexpr std::uint64_t kLengthMultiplier = 0xBF58476D1CE4E5B9U;
  static constexpr std::uint64_t kFinalMultiplier = 0x94D049BB133111EBU;

  static bool holds(std::uint64_t hash) {
    const std::uint64_t bits =
        std::uint64_t{1} << (hash >> 12U & 63U) | std::uint64_t{1} << (hash >> 20U & 63U) |
        std::uint64_t{1} << (hash >> 28U & 63U) | std::uint64_t{1} << (hash >> 36U & 63U);
    return (kTokenFilter[hash >> 48U] & bits) == bits;
  }

  /// Eight bytes; zeros beyond the end.
  std::uint64_t load(std::size_t offset) const {
    const auto left = static_cast<std::size_t>(end_ - text_);
    if (left >= offset + 8) return load_bytes(text_ + offset, 8);
    return left > offset ? load_bytes(text_ + offset, left - offset) : 0;
  }

  const char* text_;
  const char* end_;
  std::uint64_t states_[kMaxLength / 8];
  std::size_t hashed_ = 0;
  std::size_t loaded_ = ~std::size_t{0};
  std::uint64_t rest_ = 0;
};

}  // namespace llmbatch
