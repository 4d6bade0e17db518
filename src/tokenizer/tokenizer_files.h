// The two kinds of tokenizer files. Thread rule: pure functions of bytes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "llmbatch/base/result.h"
#include "tokenizer.h"

namespace llmbatch {

/// The pre-tokenisation pattern of a rank file, by its name.
struct NamedPattern {
  std::string_view name;
  std::string_view pattern;
};
/// `o200k_base` for a name that says nothing.
NamedPattern pattern_for(std::string_view file_name);

/// Lines of `BASE64 RANK`. Fails with the number of the line.
Result<std::unique_ptr<Tokenizer>> read_tiktoken(std::string_view content,
                                                 std::string_view pattern);

/// A `tokenizer.json` of Hugging Face with model BPE and the ByteLevel alphabet. Unicode
/// normalization (NFC) is not applied: nearly all text is in that form.
Result<std::unique_ptr<Tokenizer>> read_tokenizer_json(std::string_view content);

}  // namespace llmbatch
