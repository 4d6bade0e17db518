// The sample of a comparison: which lines of an input every model is asked. Drawn in one pass, with
// memory for the sample only. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "llmbatch/app/run_options.h"
#include "llmbatch/base/result.h"
#include "llmbatch/input/input_file.h"
#include "llmbatch/report/answer_score.h"
#include "llmbatch/report/compare_summary.h"

namespace llmbatch {

struct CompareSample {
  /// In the order of their draw, which is random and the same for every size: a smaller sample is
  /// the beginning of a larger one, and what is done when a run stops early is a sample as well.
  std::vector<CompareItem> items;
  /// What is sent: the lines of `items`, without models of their own, each with a line end.
  std::string text;
  std::int64_t usable = 0;    ///< lines that `run` would send
  std::int64_t eligible = 0;  ///< of these: with an expected value, where one is wanted
  std::int64_t unusable = 0;
  std::int64_t own_model = 0;  ///< items of the sample whose line names a model
  std::string first_unusable;  ///< `INPUT:LINE: reason`
};

/// Draws `size` of the eligible lines, fewer when there are not that many: those with the smallest
/// hash of `seed` and id (of the whole line where ids are made from its place or content), so that
/// a line that is added or removed elsewhere changes nothing. Of lines with one id the first
/// counts.
Result<CompareSample> draw_sample(const InputFile& input, const RunInputOptions& options,
                                  const AnswerScorer& scorer, std::int64_t size,
                                  std::uint64_t seed);

}  // namespace llmbatch
