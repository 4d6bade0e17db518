// make_provider: a profile, a wire format and the job's request parameters become a Provider. The
// result is const and safe from any thread. No environment is read here: the app does that.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/result.h"
#include "llmbatch/model/job.h"
#include "llmbatch/port/provider.h"
#include "llmbatch/provider/profile.h"

namespace llmbatch {

struct ProviderConfig {
  const ProviderProfile* profile = nullptr;  ///< null: generic, `base_url` is then needed
  WireFormat wire_format = WireFormat::openai_chat;
  std::string base_url;  ///< replaces the profile's; with the version path, query string allowed
  std::string key;       ///< empty: none is sent
  RequestDefaults defaults;
  std::string anthropic_version = "2023-06-01";
  std::vector<std::string> extra_headers;  ///< whole lines, `Name: value`
};

/// Fails (usage) when the key is missing, malformed or would go over plain http to another host,
/// when the base URL is unusable, or when a job parameter cannot be sent in this wire format.
Result<std::unique_ptr<Provider>> make_provider(ProviderConfig config);

/// Where requests go, without a trailing slash; endpoint paths are appended before its query.
Result<std::string> effective_base_url(const ProviderConfig& config);

/// The output limit that is sent although nobody asked for one, because the wire format demands it
/// (Anthropic `max_tokens`); absent when the job names one or none is needed. To be told to the
/// user.
std::optional<std::int64_t> demanded_max_tokens(WireFormat format, const RequestDefaults& defaults);

/// What of the job's answer format this provider is not asked for, and why: to be told to the user.
std::vector<std::string> answer_format_notes(const ProviderConfig& config);

/// The path that is appended to the base URL (`/chat/completions`); Gemini's contains the model.
std::string endpoint_path(WireFormat format, std::string_view model);

/// True when the host of `url` is this machine (localhost, 127.0.0.0/8, ::1).
bool is_loopback_url(std::string_view url);

}  // namespace llmbatch
