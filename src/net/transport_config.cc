#include "llmbatch/net/transport_config.h"

#include <algorithm>
#include <array>

namespace llmbatch {
namespace {

std::string value_of(const EnvironmentLookup& lookup, const char* name) {
  const char* value = lookup(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

void apply_environment(TransportConfig& config, const EnvironmentLookup& lookup) {
  constexpr std::array kProxyNames = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                      "ALL_PROXY"};
  config.use_proxy = std::any_of(kProxyNames.begin(), kProxyNames.end(),
                                 [&](const char* name) { return !value_of(lookup, name).empty(); });
  config.no_proxy = value_of(lookup, "no_proxy");
  if (config.no_proxy.empty()) config.no_proxy = value_of(lookup, "NO_PROXY");
  if (config.no_proxy != "*") {
    if (!config.no_proxy.empty()) config.no_proxy += ',';
    config.no_proxy += "localhost,127.0.0.0/8,::1";
  }

  if (!config.ca_file.empty() || !config.ca_directory.empty()) return;
  config.ca_file = value_of(lookup, "CURL_CA_BUNDLE");
  if (!config.ca_file.empty()) return;
  config.ca_file = value_of(lookup, "SSL_CERT_FILE");
  config.ca_directory = value_of(lookup, "SSL_CERT_DIR");
}

}  // namespace llmbatch
