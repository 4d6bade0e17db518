// Error envelopes of the simulated APIs. Pure functions.
// Source: the error pages and SDKs of OpenAI, Azure, Anthropic, Google and Mistral.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "llmbatch/base/clock.h"

namespace llmbatch::sim {

/// Whose habits are followed in errors and headers; `plain` is OpenAI without rate-limit headers.
enum class Dialect : std::uint8_t { openai, plain, azure, groq, mistral, anthropic, gemini };

struct ApiError {
  int status = 400;
  std::string type;  ///< empty: what the API uses for the status
  std::string code;  ///< empty: null
  std::string message;
  std::string param;   ///< empty: null
  std::string detail;  ///< Anthropic: details.error_code; Gemini: quotaId or reason
  std::optional<Duration> retry_after;  ///< Gemini says it in the body
};

/// An error of that status with the type, code and text that the API gives it.
ApiError error_for_status(Dialect dialect, int status);

/// 400 for a request that is wrong; `param` may be empty.
ApiError bad_request(std::string message, std::string param = {});

ApiError content_blocked(Dialect dialect);
ApiError quota_exhausted(Dialect dialect);
ApiError request_too_large(Dialect dialect, std::int64_t limit, std::int64_t requested);
ApiError context_exceeded(Dialect dialect, std::int64_t limit, std::int64_t requested);
ApiError model_not_found(Dialect dialect, const std::string& model);
ApiError wrong_key(Dialect dialect);

/// The JSON body. `request_id` is part of some of them.
std::string render_error(Dialect dialect, const ApiError& error, const std::string& request_id);

}  // namespace llmbatch::sim
