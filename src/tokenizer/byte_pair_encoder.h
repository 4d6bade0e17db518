// BytePairEncoder: byte-pair encoding of one piece of text. Merges come either from the ranks of
// the merged byte strings (tiktoken) or from a list of pairs (Hugging Face). A long piece is merged
// with a heap over a linked list, so that time grows as n log n. Thread rule: const is safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "llmbatch/model/usage.h"
#include "vocabulary.h"

namespace llmbatch {

/// Pairs of tokens that become one, the lowest rank first.
class MergeList {
 public:
  struct Merge {
    std::uint32_t rank = 0;
    TokenId merged = 0;
  };
  /// The first of equal pairs counts.
  void add(TokenId left, TokenId right, Merge merge);
  const Merge* find(TokenId left, TokenId right) const;
  std::size_t size() const { return count_; }

 private:
  struct Slot {
    std::uint64_t pair = kFree;
    Merge merge;
  };
  static constexpr std::uint64_t kFree = ~std::uint64_t{0};
  std::size_t slot_of(std::uint64_t pair) const;
  std::vector<Slot> slots_ = std::vector<Slot>(16);
  std::size_t count_ = 0;
};

class BytePairEncoder {
 public:
  /// A token's number is its rank (tiktoken).
  explicit BytePairEncoder(Vocabulary vocabulary);
  /// `whole_first`: a piece that is a token is that token, whatever the merges say.
  BytePairEncoder(Vocabulary vocabulary, MergeList merges, bool whole_first);

  TokenCount count(std::string_view piece) const;
  /// The tokens of the piece; a byte that is none gets kUnknown.
  void encode(std::string_view piece, std::vector<TokenId>& out) const;
  static constexpr TokenId kUnknown = ~TokenId{0};
  const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  struct Part {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint32_t previous = 0;
    std::uint32_t next = 0;  ///< parts.size(): none
    TokenId id = 0;
  };
  using Merge = MergeList::Merge;
  std::optional<Merge> merge_of(std::string_view piece, const Part& left, const Part& right) const;
  void split_bytes(std::string_view piece, std::vector<Part>& parts) const;
  void merge_short(std::string_view piece, std::vector<Part>& parts) const;
  void merge_long(std::string_view piece, std::vector<Part>& parts) const;
  template <typename Visit>
  void walk(std::string_view piece, Visit&& visit) const;

  Vocabulary vocabulary_;
  std::optional<MergeList> merges_;
  bool whole_first_ = true;
  std::vector<TokenId> bytes_;  ///< the token of each byte
};

}  // namespace llmbatch
