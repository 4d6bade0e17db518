// Shorthand for the tests of module provider.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "llmbatch/provider/make_provider.h"

namespace llmbatch::testing {

inline constexpr char kKey[] = "sk-secret-0123456789";

inline ProviderConfig config_for(const std::string& profile, WireFormat format) {
  ProviderConfig config;
  config.profile = profile.empty() ? nullptr : find_profile(profile);
  config.wire_format = format;
  config.key = kKey;
  config.defaults.model = "m";
  if (profile.empty()) config.base_url = "http://localhost:1/v1";
  if (profile == "azure") config.base_url = "https://res.openai.azure.com";
  return config;
}

inline ProviderConfig config_for(const std::string& profile) {
  return config_for(profile,
                    profile.empty() ? WireFormat::openai_chat : find_profile(profile)->wire_format);
}

inline std::unique_ptr<Provider> provider_of(ProviderConfig config) {
  auto made = make_provider(std::move(config));
  EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().message);
  return made ? std::move(*made) : nullptr;
}

inline LineFields prompt_line(std::string_view prompt, std::span<const RawField> fields = {}) {
  LineFields line;
  line.form = LineForm::prompt;
  line.prompt = prompt;
  line.fields = fields;
  return line;
}

inline LineFields messages_line(std::string_view messages, std::span<const RawField> fields = {}) {
  LineFields line;
  line.form = LineForm::messages;
  line.messages = messages;
  line.fields = fields;
  return line;
}

inline LineFields batch_line(std::string_view url, std::string_view body) {
  LineFields line;
  line.form = LineForm::batch_line;
  line.url = url;
  line.body = body;
  return line;
}

/// The body, or `error: ...`.
inline std::string body_of(const Provider& provider, const LineFields& line) {
  Request request;
  if (auto status = provider.build_request(line, request); !status) {
    return "error: " + status.error().message;
  }
  return request.body;
}

inline std::string url_of(const Provider& provider, const LineFields& line) {
  Request request;
  if (auto status = provider.build_request(line, request); !status) {
    return "error: " + status.error().message;
  }
  return request.url;
}

inline HttpReply reply_of(int status, std::string body, std::string headers = "") {
  HttpReply reply;
  reply.status = status;
  reply.body = std::move(body);
  reply.headers = std::move(headers);
  reply.started_at = *parse_rfc3339("2026-11-23T10:00:00Z");
  reply.latency = std::chrono::seconds(2);
  return reply;
}

}  // namespace llmbatch::testing
