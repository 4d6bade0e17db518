// Vocabulary: the byte strings that are tokens, each with its number. Tokens are known by a 64-bit
// hash alone, so that a lookup is one hash and mostly one access to memory: with the largest
// vocabularies there are, a billion lookups meet a false one with a probability of one in 10^5, and
// it would cost a count one token. Thread rule: const is safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace llmbatch {

using TokenId = std::uint32_t;

class Vocabulary {
 public:
  explicit Vocabulary(std::size_t expected_tokens = 0);
  /// `id` is any number but the largest one. False when the bytes are a token already.
  bool add(std::string_view bytes, TokenId id);
  std::optional<TokenId> find(std::string_view bytes) const;
  std::size_t size() const { return size_; }

 private:
  static constexpr TokenId kFree = ~TokenId{0};
  struct Slot {
    std::uint64_t hash = 0;
    TokenId id = kFree;
  };
  std::size_t slot_of(std::uint64_t hash) const;
  void grow(std::size_t slots);

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
  std::size_t longest_ = 0;
};

}  // namespace llmbatch
