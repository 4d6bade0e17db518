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

/// How often each model gives the answer that `classify` finds, by its name.
struct ModelAccuracy {
  std::string model;
  double share = 1;  ///< 0 to 1
};

/// `big=95%,small=0.8`.
Result<std::vector<ModelAccuracy>> parse_model_accuracies(std::string_view text);

/// `label`, or by chance another one of `labels` where the model is to be wrong: which prompts a
/// model is wrong on depends on the seed, its name and the prompt alone, so that two models differ
/// and a prompt that comes again is answered alike.
std::string with_accuracy(const std::vector<ModelAccuracy>& accuracies, std::string_view model,
                          const std::vector<std::string>& labels, std::string label,
                          std::string_view prompt, std::uint64_t seed);

/// The tokens that `size` bytes of text count for, everywhere in the simulator: a quarter, rounded
/// up.
std::int64_t token_count(std::size_t size_bytes);

}  // namespace llmbatch::sim
