// From the answers of several models to the result of the comparison: accuracy, costs, latency, the
// best model and the cheapest that is good enough. Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "llmbatch/model/item_result.h"
#include "llmbatch/report/answer_score.h"
#include "llmbatch/report/compare_result.h"

namespace llmbatch {

/// One item of the sample.
struct CompareItem {
  std::string id;
  std::int64_t line = 0;                ///< in the input
  std::string input;                    ///< the line
  std::optional<std::string> expected;  ///< JSON text; absent: nothing is expected
};

/// What one model made of the sample.
struct ModelAnswers {
  std::string model;
  std::string database;
  std::vector<std::optional<ItemResult>> results;  ///< by item; absent: not final yet
  std::string pause_reason;
};

struct CompareSetup {
  std::string input;
  std::string directory;
  std::int64_t eligible = 0;
  std::int64_t items = 0;
  std::int64_t sample_seed = 0;
  double tolerance = 0;
  std::int64_t disagreements_wanted = 0;  ///< at most so many are kept
};

/// Without an expected field the first model's answers are what the others are compared with.
CompareResult summarize_comparison(const CompareSetup& setup, const AnswerScorer& scorer,
                                   const std::vector<CompareItem>& items,
                                   const std::vector<ModelAnswers>& models);

/// What each model answered, by model and item, in the order in which they are given.
std::vector<std::vector<CompareAnswer>> judge_answers(const AnswerScorer& scorer,
                                                      const std::vector<CompareItem>& items,
                                                      const std::vector<ModelAnswers>& models);

/// The result as a table for people, at most 80 columns wide unless a model's name is longer; ends
/// with the verdict. Text of models and inputs is sanitised.
std::string format_comparison(const CompareResult& result);

}  // namespace llmbatch
