#include "llmbatch/app/api_key.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>

#include "llmbatch/base/fd.h"
#include "llmbatch/base/text.h"
#include "llmbatch/provider/make_provider.h"

namespace llmbatch {
namespace {

/// Tokens of cloud identity services reach some thousand bytes.
constexpr std::size_t kMaxKeyBytes = 65536;

bool travels_in_clear(std::string_view url) {
  return to_lower_ascii(url.substr(0, 7)) == "http://" && !is_loopback_url(url);
}

Result<std::string> checked_key(std::string_view text, const std::string& where) {
  const std::string_view key = trim(text);
  if (key.empty()) return usage_error(fmt::format("{}: the API key is empty", where));
  // Anything else would end the header line or be refused by every provider.
  const auto unusable = [](unsigned char c) { return c <= ' ' || c >= 0x7f; };
  if (std::any_of(key.begin(), key.end(), unusable)) {
    return usage_error(fmt::format(
        "{}: not an API key (it contains a space, line break or non-ASCII character)", where));
  }
  return std::string(key);
}

Result<ApiKey> key_from_file(const std::string& path) {
  auto text = read_file(path == "-" ? "/dev/stdin" : path, kMaxKeyBytes);
  if (!text) return forward_error(text);
  auto value = checked_key(*text, path);
  if (!value) return forward_error(value);
  ApiKey key{std::move(*value), "file " + path, {}};
  struct stat info {};
  const bool readable_by_others = ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
                                  (info.st_mode & (S_IRGRP | S_IROTH)) != 0;
  if (readable_by_others) {
    key.warnings.push_back(fmt::format("{}: other users can read this key file (chmod 600)", path));
  }
  return key;
}

Result<ApiKey> find_key(const ApiKeyRequest& request, const Environment& environment) {
  if (request.file) return key_from_file(*request.file);
  for (const std::string& variable : request.variables) {
    const auto text = environment.non_empty(variable);
    if (!text) continue;
    auto value = checked_key(*text, variable);
    if (!value) return forward_error(value);
    return ApiKey{std::move(*value), "env " + variable, {}};
  }
  return ApiKey{};
}

std::string missing_key(const ApiKeyRequest& request) {
  std::string variables;
  for (const std::string& variable : request.variables) {
    variables += (variables.empty() ? "" : " or ") + variable;
  }
  return fmt::format("{}: no API key (set {}, or name a file with --api-key-file)",
                     request.provider, variables);
}

}  // namespace

Result<ApiKey> read_api_key(const ApiKeyRequest& request, const Environment& environment) {
  auto key = find_key(request, environment);
  if (!key) return key;
  if (key->value.empty()) {
    if (request.required) return usage_error(missing_key(request));
    return key;
  }
  if (travels_in_clear(request.url)) {
    return usage_error(fmt::format(
        "{}: the API key ({}) would travel unencrypted; use https (plain http is for loopback "
        "only)",
        sanitize_for_terminal(request.url.substr(0, request.url.find('?'))), key->origin));
  }
  return key;
}

std::string describe_key_variable(const std::string& variable, const Environment& environment) {
  if (!environment.non_empty(variable)) return "not set";
  return fmt::format("set (env {})", variable);
}

}  // namespace llmbatch
