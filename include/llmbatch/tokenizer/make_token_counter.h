// Makes the token counter that the options ask for: the exact one of a tokenizer file, or the
// estimate that needs none. Thread rule: see TokenCounter.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "llmbatch/base/result.h"
#include "llmbatch/port/token_counter.h"

namespace llmbatch {

struct TokenCounterChoice {
  std::unique_ptr<TokenCounter> counter;
  /// For people: what counts, such as `o200k_base.tiktoken (199,998 tokens, pattern o200k_base)`.
  std::string description;
  bool exact = false;  ///< false: an estimate, within 5 % over many texts
};

/// `tokenizer_file`: a `.tiktoken` rank file, whose pattern its name decides, or a `tokenizer.json`
/// of Hugging Face with byte-level byte-pair encoding. Fails with ErrorKind::usage when the file
/// cannot be read, is neither, or is of a kind that is not supported (Unigram, WordPiece,
/// SentencePiece); the message says which.
Result<TokenCounterChoice> make_token_counter(const std::optional<std::string>& tokenizer_file);

}  // namespace llmbatch
