// ProviderProfile: what differs between providers that speak the same wire format. Read-only
// tables, safe from any thread. Facts come from the providers' API references and official SDKs.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/model/job.h"

namespace llmbatch {

enum class KeyHeader : std::uint8_t { bearer, x_api_key, api_key, x_goog_api_key };

/// Whose rate-limit headers a provider sends.
enum class RateLimitFamily : std::uint8_t {
  none,
  openai,      ///< x-ratelimit-*-requests and -tokens, Go durations
  groq,        ///< the same names, but requests are per day
  anthropic,   ///< anthropic-ratelimit-*, RFC 3339 resets
  mistral,     ///< x-ratelimit-*-req-minute and -tokens-minute, no reset
  openrouter,  ///< x-ratelimit-limit, -remaining, -reset in epoch milliseconds
  together,    ///< x-ratelimit-* and x-tokenlimit-*, per second
  fireworks,   ///< tokens-prompt and tokens-generated
};

/// How the reported token numbers relate to each other.
enum class UsageConvention : std::uint8_t {
  inclusive,          ///< reasoning is part of the completion tokens (OpenAI)
  reasoning_apart,    ///< completion tokens exclude reasoning (xAI)
  reasoning_unnamed,  ///< thinking shows only in the total (Gemini behind the OpenAI surface)
};

/// Which values of `response_format` a provider takes.
enum class AnswerForms : std::uint8_t {
  schema_and_json,  ///< json_schema and json_object
  schema_only,      ///< json_schema
  json_only,        ///< json_object
};

/// An environment variable that becomes a request header when it is set.
struct HeaderVariable {
  std::string_view variable;
  std::string_view header;
};

struct ProviderProfile {
  std::string_view name = {};      ///< empty for the generic profile
  std::string_view base_url = {};  ///< with the version path; empty: must be given
  std::array<std::string_view, 3> key_variables = {};  ///< looked up in this order; empty: unused
  KeyHeader key_header = KeyHeader::bearer;
  WireFormat wire_format = WireFormat::openai_chat;  ///< when the user names none
  std::string_view max_tokens_field = "max_tokens";
  std::string_view seed_field = "seed";
  RateLimitFamily rate_limits = RateLimitFamily::openai;
  UsageConvention usage = UsageConvention::inclusive;
  AnswerForms answer_forms = AnswerForms::schema_and_json;
  bool object_answers = false;  ///< schemas must have an object at the root
  bool needs_key = true;
  /// Takes sampling fields beyond OpenAI's own (`top_k`, `min_p`, ...).
  bool extended_fields = true;
  std::string_view base_url_variable =
      {};  ///< environment variable with the base URL, if there is one
  std::array<HeaderVariable, 2> header_variables = {};
};

/// The named profile, or null.
const ProviderProfile* find_profile(std::string_view name);
/// For --base-url alone: OpenAI compatible, LLMBATCH_API_KEY, no key is fine.
const ProviderProfile& generic_profile();
/// Every named profile, in the order of the documentation.
std::span<const ProviderProfile> all_profiles();
std::vector<std::string> profile_names();

}  // namespace llmbatch
