// Answers of the simulated provider: text made from the prompt and a hash, the same every time.
// Plain values and pure functions; safe anywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/result.h"

namespace llmbatch::sim {

struct AnswerMode {
  enum class Kind { text, echo, classify, words };

  Kind kind = Kind::text;
  std::size_t words = 0;            ///< for `words:N`
  std::vector<std::string> labels;  ///< for `classify:a,b,c`
};

/// `text`, `echo`, `classify`, `classify:spam,ham`, `words:200`.
Result<AnswerMode> parse_answer_mode(std::string_view text);

/// The answer to `prompt`; `hash` stands for the request and decides what the prompt leaves open.
std::string make_answer(const AnswerMode& mode, std::string_view prompt, std::uint64_t hash);

/// The label of `labels` that fits a support ticket best by its words; `hash` decides when none
/// does. Only what stands after the last line that starts with `Ticket` counts, where there is one,
/// so that a list of labels in the instructions does not decide.
std::string classify(const std::vector<std::string>& labels, std::string_view prompt,
                     std::uint64_t hash);

/// The tokens that `size` bytes of text count for, everywhere in the simulator: a quarter, rounded
/// up.
std::int64_t token_count(std::size_t size_bytes);

}  // namespace llmbatch::sim
