// Any bytes as a tokenizer file of either kind: an error or a tokenizer, never a crash; and what a
// small tokenizer counts is what it encodes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "../../src/tokenizer/tokenizer_files.h"

namespace {

void check(const llmbatch::Tokenizer& tokenizer, std::string_view text) {
  const auto tokens = tokenizer.encode(text);
  if (tokenizer.count(text) != static_cast<llmbatch::TokenCount>(tokens.size())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const auto fixed = llmbatch::read_tiktoken("YQ== 0\nYg== 1\nYWI= 2\nIGE= 3\nYWJhYg== 4\n",
                                                    llmbatch::pattern_for("").pattern);
  if (!fixed) std::abort();
  check(**fixed, text);
  const auto ranks = llmbatch::read_tiktoken(text, llmbatch::pattern_for("").pattern);
  if (ranks) check(**ranks, text);
  const auto json = llmbatch::read_tokenizer_json(text);
  // A pattern of the file's own may be slow on a long text, which is the file's affair.
  if (json) check(**json, text.substr(0, 64));
  return 0;
}
