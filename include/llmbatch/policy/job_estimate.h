// JobEstimate: what is left of a job will take in tokens, money and time, as intervals. Nothing is
// made up: what is not known is absent, and what is assumed says so. Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "llmbatch/base/clock.h"
#include "llmbatch/model/money.h"
#include "llmbatch/policy/pricing.h"
#include "llmbatch/policy/request_tally.h"
#include "llmbatch/policy/sample_interval.h"

namespace llmbatch {

/// How far the count without a vocabulary may be off on the sum of a file.
inline constexpr double kCountMargin = 0.05;

struct TokenInterval {
  TokenCount low = 0;
  std::optional<TokenCount> expected;
  std::optional<TokenCount> high;  ///< absent: no limit is known
};

struct MoneyInterval {
  Money low;
  std::optional<Money> expected;
  std::optional<Money> high;
};

/// What the estimate goes by.
struct EstimateBasis {
  double count_margin = kCountMargin;         ///< 0: the count is exact
  std::optional<SampleInterval> input_ratio;  ///< reported to counted input, of answered items
  std::optional<SampleInterval> output;       ///< output tokens per answered item
  bool no_output = false;                     ///< embeddings
};

struct CostEstimate {
  MoneyInterval input;
  MoneyInterval output;
  MoneyInterval total;
};

struct JobEstimate {
  std::int64_t items = 0;
  TokenCount counted_input = 0;
  TokenInterval input;
  TokenInterval output;
  /// Absent: the price of at least one request is unknown.
  std::optional<CostEstimate> real_time;
  /// Absent: as above, or a model has no batch price.
  std::optional<CostEstimate> batch;
};

/// The bounds add up bounds of parts: input and output hardly ever miss together, so the whole is
/// inside at least as often as each part. Input: the count times the ratio of reported to counted
/// tokens where answers are known (its interval), else the count +- its margin. Output: items times
/// the mean of the answers (its interval); without answers from kAssumedOutput to the cap per item,
/// and no expected value. Prices: those at `now`; low and high take the cheapest and the dearest
/// hour of the week that begins then.
JobEstimate estimate_job(std::span<const RequestGroup> groups, const EstimateBasis& basis,
                         WallTime now);

/// Limits per minute (per day: rpd) and what is known of the speed of answers.
struct PaceLimits {
  std::optional<std::int64_t> rpm;
  std::optional<std::int64_t> tpm;
  std::optional<std::int64_t> itpm;
  std::optional<std::int64_t> otpm;
  std::optional<std::int64_t> rpd;
  std::optional<double> latency_seconds;  ///< mean of known answers
  std::int64_t concurrency = 1;
};

struct DurationEstimate {
  double low_seconds = 0;
  std::optional<double> high_seconds;  ///< absent: not known
  std::string_view bound_by;           ///< `rpm`, `tpm`, ..., `latency`: what takes longest
  bool latency_known = false;          ///< false: slow answers would make it longer
};

/// The longest of what each limit alone demands. Retries, pauses of the provider and the time to
/// the first answers are not in it. Absent when there is no limit and no latency is known.
std::optional<DurationEstimate> estimate_duration(const JobEstimate& job, const PaceLimits& limits);

/// What prompt caching takes off the input at most: `items` requests that begin with the same
/// `prefix` tokens, of which one writes the cache and the others read it. Absent when the provider
/// has no lower price for cached input, or when the prefix is shorter than what providers cache
/// (1,024 tokens: OpenAI, Anthropic's larger models, Gemini 2.5 Flash).
std::optional<Money> prompt_cache_saving(const ModelPrice& price, TokenCount prefix,
                                         std::int64_t items, WallTime now);

}  // namespace llmbatch
