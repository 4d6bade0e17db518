// Vocabulary: the byte strings that are tokens, each with its number. Open addressing over one
// block of bytes: a lookup is a hash and mostly one comparison. Thread rule: const is safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llmbatch {

using TokenId = std::uint32_t;

class Vocabulary {
 public:
  explicit Vocabulary(std::size_t expected_tokens = 0);
  /// False when the bytes are a token already.
  bool add(std::string_view bytes, TokenId id);
  std::optional<TokenId> find(std::string_view bytes) const;
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint64_t hash = 0;
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
    TokenId id = 0;
  };
  std::size_t slot_of(std::string_view bytes, std::uint64_t hash) const;
  void grow(std::size_t slots);

  std::string bytes_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  ///< number of the entry + 1; 0: free
  std::size_t longest_ = 0;
};

}  // namespace llmbatch
