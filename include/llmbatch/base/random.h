// Random: a seeded generator whose sequence is the same everywhere, for jitter, sampling and tests.
// xoshiro256++ (Blackman and Vigna, prng.di.unimi.it), seeded through splitmix64. Not for secrets.
// Thread rule: one owner.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace llmbatch {

class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) {
    for (std::uint64_t& word : state_) word = mix(seed += 0x9E3779B97F4A7C15U);
  }

  constexpr std::uint64_t next_u64() {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// In [0, 1), all 53 bits of a double used.
  constexpr double uniform() { return static_cast<double>(next_u64() >> 11U) * 0x1p-53; }

  /// In [0, n), every value equally likely; 0 when `n` is 0.
  constexpr std::uint64_t below(std::uint64_t n) {
    if (n == 0) return 0;
    // The first 2^64 mod n values would make small results likelier than others.
    const std::uint64_t skipped = (0 - n) % n;
    std::uint64_t value = next_u64();
    while (value < skipped) value = next_u64();
    return value % n;
  }

 private:
  static constexpr std::uint64_t mix(std::uint64_t value) {
    value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
    value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
    return value ^ (value >> 31U);
  }

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace llmbatch
