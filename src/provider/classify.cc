// The order of the questions matters: codes before statuses, and what never succeeds before what a
// retry may mend.
#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "error_reply.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

using Words = std::span<const std::string_view>;

bool is_one_of(std::string_view word, Words words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view other) { return equals_ignore_case(word, other); });
}

bool has_code(const ErrorDetails& details, Words words) {
  return is_one_of(details.code, words) || is_one_of(details.type, words) ||
         is_one_of(details.detail_code, words);
}

/// `text` is in lower case.
bool mentions(std::string_view text, Words phrases) {
  return std::any_of(phrases.begin(), phrases.end(), [&](std::string_view phrase) {
    return text.find(phrase) != std::string_view::npos;
  });
}

constexpr auto kPolicyCodes = std::to_array<std::string_view>(
    {"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation", "invalid_prompt",
     "bio_policy", "moderation_blocked", "data_inspection_failed", "content_policy"});

constexpr auto kPolicyPhrases =
    std::to_array<std::string_view>({"content filtering policy", "content management policy"});

// Billing, spend limits and holds: these fail until somebody pays or asks.
constexpr auto kQuotaCodes = std::to_array<std::string_view>(
    {"insufficient_quota", "credit_balance_exhausted", "organization_spend_limit_exceeded",
     "project_spend_limit_exceeded", "organization_usage_limit_exceeded", "billing_error",
     "billing_hard_limit_reached", "billing_not_active", "enforced_spend_limit_reached",
     "contract_spend_limit_reached", "organization_on_hold",
     "linked_organization_billing_unavailable", "linked_organization_spend_limit_reached",
     "insufficient_balance", "insufficient_credits"});

constexpr auto kQuotaPhrases = std::to_array<std::string_view>(
    {"api usage limits", "credit balance is too low", "insufficient balance", "spend limit"});

constexpr auto kKeyCodes = std::to_array<std::string_view>(
    {"invalid_api_key", "API_KEY_INVALID", "authentication_error", "UNAUTHENTICATED"});

constexpr auto kKeyPhrases = std::to_array<std::string_view>(
    {"api key not valid", "incorrect api key", "invalid api key", "api key expired"});

constexpr auto kModelCodes = std::to_array<std::string_view>(
    {"model_not_found", "DeploymentNotFound", "invalid_model", "model_decommissioned",
     "model_not_available", "unknown_model"});

constexpr auto kContextCodes = std::to_array<std::string_view>(
    {"context_length_exceeded", "context_window_exceeded", "model_context_window_exceeded"});

constexpr auto kContextPhrases = std::to_array<std::string_view>(
    {"maximum context length", "context_length_exceeded", "prompt is too long", "context window",
     "exceed context limit", "exceeds the context", "context size",
     "longer than the model's context", "exceeds the maximum number of tokens",
     "`inputs` tokens + `max_new_tokens`", "larger than the maximum context"});

constexpr auto kTooLargePhrases =
    std::to_array<std::string_view>({"request too large", "request is too large"});

constexpr auto kRateCodes = std::to_array<std::string_view>(
    {"rate_limit_exceeded", "rate_limit_error", "rate_limited", "RESOURCE_EXHAUSTED",
     "too_many_requests", "slow_down", "capacity_exceeded", "ramp_limit_exceeded"});

constexpr auto kOverloadCodes = std::to_array<std::string_view>(
    {"overloaded_error", "server_is_overloaded", "UNAVAILABLE", "service_unavailable_error"});

constexpr auto kRequestCodes = std::to_array<std::string_view>(
    {"invalid_request_error", "INVALID_ARGUMENT", "BadRequestError", "not_found_error",
     "string_above_max_length", "invalid_type", "unsupported_parameter", "unsupported_value"});

/// The whole number at the start of `text` after spaces and colons, thousands separators dropped.
std::optional<std::int64_t> leading_number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(": "), text.size()));
  std::string digits;
  for (const char c : text.substr(0, 30)) {
    if (c >= '0' && c <= '9') {
      digits += c;
    } else if (c != ',' && c != '_') {
      break;
    }
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end == digits.data()) return std::nullopt;
  return value;
}

/// The first number that directly follows an occurrence of `word` (`rate limit reached: limit
/// 100`).
std::optional<std::int64_t> number_after(std::string_view text, std::string_view word) {
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    if (const auto number = leading_number(text.substr(at + word.size()))) return number;
  }
  return std::nullopt;
}

/// The request alone is larger than the limit: no waiting helps.
bool is_larger_than_limit(std::string_view text) {
  if (mentions(text, kTooLargePhrases)) return true;
  const auto limit = number_after(text, "limit");
  const auto requested = number_after(text, "requested");
  return limit && requested && *limit > 0 && *requested > *limit;
}

bool is_context_error(int status, std::string_view text, const ErrorDetails& details,
                      const ProviderProfile& profile) {
  if (has_code(details, kContextCodes)) return true;
  const bool together_context =
      profile.name == "together" && status == 403 &&
      mentions(text, std::array<std::string_view, 2>{"context", "tokens"});
  if (together_context) return true;
  return (status == 400 || status == 413 || status == 422) && mentions(text, kContextPhrases);
}

bool is_unknown_model(int status, std::string_view text, const ErrorDetails& details) {
  if (has_code(details, kModelCodes)) return true;
  const bool names_model = text.find("model") != std::string_view::npos;
  if (status == 404)
    return names_model || has_code(details, std::array<std::string_view, 1>{"not_found_error"});
  constexpr auto kPhrases = std::to_array<std::string_view>(
      {"not a valid model", "model not found", "model does not exist", "invalid model"});
  return status == 400 && names_model && mentions(text, kPhrases);
}

bool is_quota_error(int status, std::string_view text, const ErrorDetails& details) {
  if (has_code(details, kQuotaCodes)) return true;
  if (status == 429) {
    return details.quota_ids.find("PerDay") != std::string::npos ||
           (!details.quota_ids.empty() && number_after(text, "limit") == 0);
  }
  return (status == 400 || status == 403) && mentions(text, kQuotaPhrases);
}

ErrorClass classify_by_status(int status) {
  switch (status) {
    case 401:
      return ErrorClass::authentication;
    case 402:
      return ErrorClass::quota_exhausted;
    case 403:
    case 412:
      return ErrorClass::permission;
    case 408:
      return ErrorClass::request_timeout;
    case 409:
      return ErrorClass::server_error;
    case 413:
      return ErrorClass::too_large;
    case 429:
    case 498:
      return ErrorClass::rate_limited;
    case 503:
    case 529:
      return ErrorClass::overloaded;
    default:
      break;
  }
  return status >= 500 ? ErrorClass::server_error : ErrorClass::invalid_request;
}

}  // namespace

ErrorClass classify_error(int status, const ErrorDetails& details, const ProviderProfile& profile,
                          bool has_retry_after) {
  if (status >= 500) return classify_by_status(status);
  const std::string text = to_lower_ascii(details.message);
  const bool policy_status = status == 400 || status == 403 || status == 422;
  if (policy_status &&
      (details.moderated || has_code(details, kPolicyCodes) || mentions(text, kPolicyPhrases))) {
    return ErrorClass::content_policy;
  }
  if (status == 400 && (details.failed_generation ||
                        has_code(details, std::array<std::string_view, 2>{"json_validate_failed",
                                                                          "tool_use_failed"}))) {
    return ErrorClass::malformed;
  }
  // A budget that calls in flight have reserved frees itself when they end.
  if (status == 402 && has_retry_after) return ErrorClass::rate_limited;
  if (is_quota_error(status, text, details)) return ErrorClass::quota_exhausted;
  if (is_context_error(status, text, details, profile)) return ErrorClass::context_length;
  const bool key_status = status == 400 || status == 401 || status == 403;
  if (key_status && (has_code(details, kKeyCodes) || mentions(text, kKeyPhrases))) {
    return ErrorClass::authentication;
  }
  if (status == 400 && equals_ignore_case(details.type, "FAILED_PRECONDITION")) {
    return ErrorClass::permission;
  }
  if (status == 429 && is_larger_than_limit(text)) return ErrorClass::too_large;
  if ((status == 400 || status == 404) && is_unknown_model(status, text, details)) {
    return ErrorClass::model_not_found;
  }
  return classify_by_status(status);
}

ErrorClass classify_error_in_success(const ErrorDetails& details, const ProviderProfile& profile,
                                     bool has_retry_after) {
  if (details.status_in_body) {
    return classify_error(*details.status_in_body, details, profile, has_retry_after);
  }
  if (has_code(details, kPolicyCodes)) return ErrorClass::content_policy;
  if (has_code(details, kQuotaCodes)) return ErrorClass::quota_exhausted;
  if (has_code(details, kRateCodes)) {
    return classify_error(429, details, profile, has_retry_after);
  }
  if (has_code(details, kOverloadCodes)) return ErrorClass::overloaded;
  if (has_code(details, kKeyCodes)) return ErrorClass::authentication;
  if (has_code(details, kModelCodes)) return ErrorClass::model_not_found;
  if (has_code(details, kContextCodes)) return ErrorClass::context_length;
  if (has_code(details, kRequestCodes)) return classify_error(400, details, profile, false);
  // LM Studio answers like this when the path is wrong; no repetition changes that.
  if (details.message.starts_with("Unexpected endpoint")) return ErrorClass::invalid_request;
  return ErrorClass::server_error;
}

}  // namespace llmbatch
