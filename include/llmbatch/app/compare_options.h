// CompareOptions: what `compare` needs, converted and checked from its settings. Thread rule: plain
// values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "llmbatch/app/run_options.h"
#include "llmbatch/app/settings.h"
#include "llmbatch/report/answer_score.h"

namespace llmbatch {

struct CompareOptions {
  std::string input;      ///< `-` is stdin
  std::string directory;  ///< never empty
  ScoreRule rule;
  std::int64_t sample = 0;
  std::uint64_t sample_seed = 0;
  double tolerance = 0;  ///< 0 to 1
  std::int64_t disagreements = 0;
  bool json = false;
  std::string answers;  ///< file for every answer, `.csv` or JSONL; empty: none
  /// One job per model, in the order in which they were named; each reads the sample's file.
  std::vector<RunOptions> jobs;

  std::string sample_path() const { return directory + "/sample.jsonl"; }
};

/// Reads the prompt and system files, too.
Result<CompareOptions> make_compare_options(const std::string& input, const Settings& settings);

/// The name of a model's database: letters, digits, `.`, `-` and `_`. A model whose own name might
/// give another's gets a hash at its end.
std::string compare_database_name(const std::string& model);

}  // namespace llmbatch
