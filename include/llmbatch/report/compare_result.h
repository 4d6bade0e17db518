// CompareResult: what `llmbatch compare` found. Its JSON form is that of `compare --json`, and is
// kept in the comparison's directory as result.json, from where the HTML report reads it. Field
// names are a promise (README, Which model?). Thread rule: plain values and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "llmbatch/base/result.h"
#include "llmbatch/model/item.h"
#include "llmbatch/model/money.h"
#include "llmbatch/model/usage.h"
#include "llmbatch/policy/paired_comparison.h"
#include "llmbatch/policy/proportion.h"

namespace llmbatch {

/// `tickets.jsonl` + this is the directory of its comparison.
inline constexpr std::string_view kCompareSuffix = ".llmbatch-compare";
inline constexpr std::string_view kCompareResultFile = "result.json";

/// A model against the best one, on the items that both have answered.
struct CompareWithBest {
  PairedCounts counts;          ///< first: the best model
  PairedDifference difference;  ///< the best one's accuracy minus this one's
  double p_value = 1;           ///< McNemar, exact
};

struct CompareModel {
  std::string model;        ///< as it was named
  std::string database;     ///< an ordinary job database, for export and review
  bool reference = false;   ///< what the others have to agree with, where nothing is expected
  std::int64_t items = 0;   ///< of the sample, without lines that cannot be used
  std::int64_t done = 0;    ///< with a final state
  std::int64_t judged = 0;  ///< of these: with something to compare the answer with
  std::int64_t right = 0;
  ShareInterval interval;      ///< of the accuracy: Wilson, 95 %
  std::int64_t refused = 0;    ///< `filtered`
  std::int64_t malformed = 0;  ///< `flagged`, or without the part that --answer-pointer names
  std::int64_t failed = 0;     ///< `failed`
  std::optional<Money> cost;   ///< of the sample, all attempts; absent: unknown
  std::optional<Money> cost_per_1000;
  std::optional<Money> projected;      ///< for every item of the input
  std::optional<Money> projected_low;  ///< 95 %: the mean of the sample is not that of the file
  std::optional<Money> projected_high;
  std::optional<std::int64_t> latency_p50_ms;
  std::optional<std::int64_t> latency_p95_ms;
  Usage usage;                               ///< of the last attempt of each item
  std::optional<CompareWithBest> with_best;  ///< absent: is the best, or nothing to compare
  std::string pause_reason;                  ///< why items are left; may be empty

  double accuracy() const {
    return judged == 0 ? 0 : static_cast<double>(right) / static_cast<double>(judged);
  }
  bool complete() const { return done == items; }
};

struct CompareAnswer {
  std::string state;                ///< `succeeded`, `filtered`, ...; `pending`: no answer yet
  std::optional<std::string> text;  ///< the compared part, or all of an answer without it
  std::optional<bool> right;        ///< absent: nothing to compare with
};

/// An item on which the models do not agree, or are not right.
struct CompareDisagreement {
  std::string id;
  std::int64_t line = 0;  ///< in the input
  std::string input;      ///< the line
  std::optional<std::string> expected;
  std::vector<CompareAnswer> answers;  ///< in the order of CompareResult::models
};

struct CompareResult {
  std::string input;
  std::string directory;
  std::int64_t sample = 0;    ///< items that were drawn
  std::int64_t eligible = 0;  ///< usable lines of the input that have something expected
  std::int64_t items = 0;     ///< usable lines of the input
  std::int64_t sample_seed = 0;
  std::string expected_field;  ///< empty: agreement with the first model
  std::string match_mode;
  std::string answer_pointer;
  double tolerance = 0;                 ///< 0 to 1
  std::vector<CompareModel> models;     ///< best accuracy first
  std::optional<std::size_t> best;      ///< index into models
  std::optional<std::size_t> chosen;    ///< the cheapest within the tolerance
  std::optional<Money> saved_per_1000;  ///< against the best
  std::optional<Money> saved;           ///< for every item of the input
  std::vector<std::string> notes;       ///< how far the verdict can be trusted, whole sentences
  std::string verdict;                  ///< one sentence
  std::int64_t disagreement_count = 0;
  std::vector<CompareDisagreement> disagreements;  ///< as many as were asked for
};

/// One object on one line. Shares are from 0 to 1, money in dollars, unknown values null.
std::string to_json(const CompareResult& result);
/// Reads it back; absent when it is none of ours.
std::optional<CompareResult> compare_result_from_json(const std::string& text);

/// The stored result of a comparison: `path` is its directory, its result.json, or an input or a
/// database beside which it stands. Absent when there is none; fails when it cannot be read.
Result<std::optional<CompareResult>> find_compare_result(const std::string& path);

}  // namespace llmbatch
