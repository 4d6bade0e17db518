#include <algorithm>

#include "llmbatch/base/text.h"
#include "llmbatch/provider/make_provider.h"

namespace llmbatch {
namespace {

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";

/// `host:port` between the scheme and the path.
std::string_view authority_of(std::string_view url) {
  const auto start = url.find("://");
  if (start == std::string_view::npos) return {};
  url.remove_prefix(start + 3);
  return url.substr(0, url.find_first_of("/?#"));
}

std::string_view path_of(std::string_view url) {
  const auto authority = authority_of(url);
  if (authority.empty()) return {};
  const auto start = static_cast<std::size_t>(authority.data() - url.data()) + authority.size();
  return url.substr(start);
}

/// The URL is not repeated when it may contain a password.
tl::unexpected<Error> bad_url(std::string_view url, std::string_view why) {
  return usage_error("base url '" + truncate_chars(url, 200) + "': " + std::string(why));
}

/// The profile's own base URL, which depends on the surface that the wire format belongs to.
std::string default_base_url(const ProviderProfile& profile, WireFormat format) {
  const bool native = format == WireFormat::gemini_generate;
  std::string url(profile.base_url);
  if (profile.name == "gemini" && !native) url += "/openai";
  return url;
}

/// Percent-encodes everything that could change the path.
void append_path_segment(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~' || c == '@' || c == ':';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4U];
    out += kHex[byte & 15U];
  }
}

}  // namespace

std::string endpoint_path(WireFormat format, std::string_view model) {
  switch (format) {
    case WireFormat::openai_chat:
      return "/chat/completions";
    case WireFormat::openai_responses:
      return "/responses";
    case WireFormat::openai_embeddings:
      return "/embeddings";
    case WireFormat::anthropic_messages:
      return "/messages";
    case WireFormat::gemini_generate:
      break;
  }
  constexpr std::string_view kTuned = "tunedModels/";
  constexpr std::string_view kModels = "models/";
  std::string path = model.starts_with(kTuned) ? "/tunedModels/" : "/models/";
  if (model.starts_with(kTuned)) model.remove_prefix(kTuned.size());
  if (model.starts_with(kModels)) model.remove_prefix(kModels.size());
  append_path_segment(path, model);
  return path + ":generateContent";
}

bool is_loopback_url(std::string_view url) {
  auto host = authority_of(url);
  if (const auto at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1) == "[::1]";
  host = host.substr(0, host.find(':'));
  if (equals_ignore_case(host, "localhost")) return true;
  const bool numeric = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return numeric && host.starts_with("127.") && std::count(host.begin(), host.end(), '.') == 3;
}

Result<std::string> effective_base_url(const ProviderConfig& config) {
  const auto& profile = config.profile != nullptr ? *config.profile : generic_profile();
  std::string url = config.base_url;
  if (url.empty()) url = default_base_url(profile, config.wire_format);
  if (url.empty() && profile.name.empty()) return usage_error("base url: none given");
  if (url.empty()) {
    return usage_error("provider " + std::string(profile.name) + ": needs --base-url or " +
                       std::string(profile.base_url_variable));
  }
  const bool unsafe = std::any_of(url.begin(), url.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) == 0x7f;
  });
  if (unsafe) return usage_error("base url: contains white space or control characters");
  if (!url.starts_with(kHttp) && !url.starts_with(kHttps)) {
    return bad_url(url, "must begin with http:// or https://");
  }
  const auto authority = authority_of(url);
  if (authority.empty()) return bad_url(url, "names no host");
  if (authority.find('@') != std::string_view::npos) {
    return usage_error("base url: must not contain a user name or a password");
  }
  if (url.find('#') != std::string::npos) return bad_url(url, "must not contain a fragment");
  const auto mark = url.find('?');
  std::string query = mark == std::string::npos ? "" : url.substr(mark);
  if (mark != std::string::npos) url.resize(mark);
  while (url.ends_with('/')) url.pop_back();
  // Azure's portal and its environment variable give the resource only.
  if (profile.name == "azure" && path_of(url).empty()) url += "/openai/v1";
  return url + query;
}

}  // namespace llmbatch
