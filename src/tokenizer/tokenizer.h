// Tokenizer: text to tokens, exactly: added tokens are cut out, the rest is cut into pieces by the
// pre-tokenisation steps, and each piece is encoded. Thread rule: const is safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "byte_pair_encoder.h"
#include "llmbatch/base/result.h"
#include "llmbatch/port/token_counter.h"
#include "split_pattern.h"

namespace llmbatch {

struct SplitStep {
  SplitPattern pattern;
  SplitBehavior behavior = SplitBehavior::isolated;
  bool invert = false;
};

/// A token that is found in the text before anything else is done to it.
struct AddedToken {
  std::string content;
  TokenId id = 0;
  bool strips_left = false;   ///< takes the white space before it
  bool strips_right = false;  ///< takes the white space after it
};

struct TokenizerParts {
  BytePairEncoder encoder;
  std::vector<SplitStep> steps;
  std::vector<AddedToken> added;
  bool add_prefix_space = false;  ///< a space is put before text that begins with none
};

class Tokenizer final : public TokenCounter {
 public:
  explicit Tokenizer(TokenizerParts parts);

  TokenCount count(std::string_view utf8) const override;
  std::vector<TokenId> encode(std::string_view utf8) const;
  std::size_t vocabulary_size() const { return parts_.encoder.vocabulary().size(); }

 private:
  template <typename OnPiece, typename OnAdded>
  void walk(std::string_view text, OnPiece&& on_piece, OnAdded&& on_added) const;
  template <typename OnPiece>
  void split(std::string_view text, OnPiece&& on_piece) const;
  const AddedToken* added_at(std::string_view text) const;

  TokenizerParts parts_;
  std::string first_bytes_;  ///< what added tokens begin with
};

}  // namespace llmbatch
