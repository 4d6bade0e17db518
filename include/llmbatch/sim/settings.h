// SimulatorSettings: everything that `llmbatch simulate` can be told. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "llmbatch/base/clock.h"
#include "llmbatch/base/result.h"
#include "llmbatch/sim/answer.h"
#include "llmbatch/sim/fault.h"
#include "llmbatch/sim/latency.h"

namespace llmbatch::sim {

/// Whose rate-limit headers and error envelopes are used. `by_path` looks at the URL:
/// `/v1/messages` is Anthropic, `:generateContent` is Gemini, `/openai/deployments/` is Azure,
/// `/openai/v1` is Groq (Azure when an `api-key` header is sent), `/mistral/v1` is Mistral,
/// everything else OpenAI.
enum class HeaderStyle : std::uint8_t { by_path, openai, azure, groq, mistral, anthropic, none };

/// How a 429 says when to come back. `automatic` is what the API in question does.
enum class RetryHint : std::uint8_t { automatic, seconds, milliseconds, http_date, none };

/// Limits per minute (rpd: in the simulator's life); none is set by default.
struct SimulatedLimits {
  std::optional<std::int64_t> rpm;
  std::optional<std::int64_t> tpm;   ///< input and output tokens together
  std::optional<std::int64_t> itpm;  ///< input tokens
  std::optional<std::int64_t> otpm;  ///< output tokens
  std::optional<std::int64_t> rpd;
  /// How much of a minute's allowance may come at once: providers enforce over short slices.
  Duration burst = std::chrono::seconds(1);
};

struct SimulatorSettings {
  std::uint64_t seed = 1;
  std::uint16_t port = 0;  ///< 0: any free port
  Latency latency;
  SimulatedLimits limits;
  HeaderStyle header_style = HeaderStyle::by_path;
  RetryHint retry_hint = RetryHint::automatic;
  FaultMix faults;
  AnswerMode answer;
  std::vector<ModelAccuracy> accuracies;     ///< of classify; others answer as well as they can
  std::string required_key;                  ///< empty: any key or none
  std::vector<std::string> unknown_models;   ///< answered by 404
  std::vector<std::string> models;           ///< what `GET /v1/models` lists; empty: a default list
  std::optional<std::uint64_t> quota_after;  ///< billing is exhausted after that many answers
  std::optional<std::uint64_t> die_after;    ///< that many requests, then the server goes away
  Duration down_for = std::chrono::seconds(1);   ///< and comes back after this; zero: never
  Duration hang_for = std::chrono::minutes(15);  ///< when a hanging connection is closed at last
  std::size_t embedding_dimensions = 16;         ///< unless the request says
  Duration batch_latency = std::chrono::seconds(1);  ///< from a batch's creation to its end
  double batch_expire = 0;                           ///< share of the requests that expire once
  std::vector<std::string> batch_faults;             ///< each happens once, see kBatchFaults
  std::string log_path;  ///< one JSON line per request is appended; empty: none
};

/// `lost-create,cut-download*2`: what is to go wrong with batches, each at its next occasion.
Result<std::vector<std::string>> parse_batch_faults(std::string_view text);

Result<HeaderStyle> parse_header_style(std::string_view text);
Result<RetryHint> parse_retry_hint(std::string_view text);

}  // namespace llmbatch::sim
