// Error replies: what the many envelopes say, and which class that is. Pure functions of bytes.
// Sources: the error pages of the providers' API references; where they are silent, observed
// replies.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "llmbatch/base/clock.h"
#include "llmbatch/model/outcome.h"
#include "llmbatch/provider/profile.h"

namespace llmbatch {

/// The parts of an error envelope that matter; what is absent stays empty.
struct ErrorDetails {
  std::string message;
  std::string code;         ///< as text, whatever type it had
  std::string type;         ///< `type`, or Gemini's `status`
  std::string detail_code;  ///< Anthropic details.error_code, Azure innererror.code, Gemini reason
  std::string quota_ids;    ///< Gemini, one after the other
  std::string request_id;
  bool moderated = false;          ///< OpenRouter: metadata.reasons or flagged_input
  bool failed_generation = false;  ///< Groq: the model's output did not validate
  std::optional<Duration> retry_delay;
  std::optional<int> status_in_body;  ///< a code that is an HTTP status

  std::string_view best_code() const;
};

/// Reads any body; one that is not JSON becomes the message, HTML by its title.
ErrorDetails read_error_body(std::string_view body);

/// `status` is the HTTP status (or the one found in the body of a 200).
ErrorClass classify_error(int status, const ErrorDetails& details, const ProviderProfile& profile,
                          bool has_retry_after);

/// For an error inside a 200.
ErrorClass classify_error_in_success(const ErrorDetails& details, const ProviderProfile& profile,
                                     bool has_retry_after);

}  // namespace llmbatch
