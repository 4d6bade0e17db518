// Faults: what the simulated provider does instead of answering well. Plain values; safe anywhere.
// The shapes are those of the public APIs of OpenAI, Azure, Anthropic, Google and Mistral.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/clock.h"
#include "llmbatch/base/result.h"

namespace llmbatch::sim {

enum class Fault : std::uint8_t {
  none,            ///< `ok`: a good answer
  status,          ///< `500`, `529`, ...: an error of that HTTP status in the API's own envelope
  html,            ///< `502` or `html`: a gateway's HTML page, HTTP 502
  unavailable,     ///< `503`: no body at all
  hang,            ///< `hang`: no byte is ever sent
  reset,           ///< `reset`: the connection is reset before the answer
  cut,             ///< `cut`: the connection is closed in the middle of the body
  truncated,       ///< `truncated`: half of the JSON, with a Content-Length that fits
  empty,           ///< `empty`: HTTP 200 with nothing in it
  error_object,    ///< `error200`: HTTP 200 around an error object
  no_choices,      ///< `nochoices`: HTTP 200 without an answer
  filter,          ///< `filter`: the prompt was blocked (HTTP 400; Gemini: promptFeedback)
  filter200,       ///< `filter200`: the answer was blocked, HTTP 200
  refusal,         ///< `refusal`: the model declines, HTTP 200
  length,          ///< `length`: stopped at the token cap
  no_usage,        ///< `nousage`: a good answer that does not say what it cost
  blank,           ///< `blank`: a good answer after blank lines
  not_json,        ///< `notjson`: HTTP 200 with a page that is not JSON
  quota,           ///< `quota`: billing is exhausted
  too_large,       ///< `toolarge`: the request alone is larger than the limit, 429 for ever
  context_length,  ///< `context`: longer than the context window
  bad_answer,      ///< `badanswer`: fails its check; a second question is answered well
  stubborn,        ///< `stubborn`: fails its check, after a second question as well
  batch_expired,   ///< `batch-expired`: in a batch, the request expires; else a good answer
  batch_missing,   ///< `batch-missing`: in a batch, no line comes for it
  batch_zero,      ///< `batch-zero`: in a batch, a line with status_code 0
  slow,            ///< `slow=500ms`: a good answer, that much later
};

/// One thing to do with one request.
struct FaultStep {
  Fault fault = Fault::none;
  int status = 200;     ///< for Fault::status
  Duration duration{};  ///< `slow=...`, or the retry hint of `429=2s`
  bool has_duration = false;
};

/// The word a step is written as, without its duration; also its name in the counters.
std::string fault_name(const FaultStep& step);

/// One step: a name of the list above (`timeout` is `hang`, `noerror` is `ok`) or an HTTP status
/// from 400 to 599; `slow` and `429` take a duration after `=` or `:`.
Result<FaultStep> parse_fault_step(std::string_view text);

/// Steps by attempt, `429,500,ok`; the last one stays.
Result<std::vector<FaultStep>> parse_script(std::string_view text);

struct FaultChance {
  FaultStep step;
  double probability = 0;
};

/// Probabilities of faults; what is left is a good answer.
struct FaultMix {
  std::vector<FaultChance> chances;

  /// The step for a uniform number in [0, 1).
  FaultStep draw(double uniform) const;
};

/// `429=0.01,500=0.5%,slow:2s=0.1`: each a probability, together at most 1.
Result<FaultMix> parse_fault_mix(std::string_view text);

}  // namespace llmbatch::sim
