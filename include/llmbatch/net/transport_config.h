// TransportConfig: what a CurlTransport is built with. Thread rule: a plain value.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "llmbatch/base/clock.h"

namespace llmbatch {

struct TransportConfig {
  /// Header lines (`Name: value`) of every request; the provider's key is among them, so they are
  /// never logged. Content-Type, Accept-Encoding and User-Agent are added
  /// unless given here.
  std::vector<std::string> headers;
  /// Calls that are expected in flight at most; sizes the connection cache, limits nothing.
  std::size_t max_concurrency = 256;
  Duration connect_timeout = std::chrono::seconds(15);     ///< name lookup, TCP, proxy and TLS
  Duration total_timeout = std::chrono::seconds(60);       ///< from start to the last byte
  std::size_t max_response_bytes = std::size_t{64} << 20;  ///< of a decoded body
  bool http2 = false;      ///< offer HTTP/2 over TLS; HTTP/1.1 keep-alive is faster for most
  bool use_proxy = false;  ///< let libcurl read its proxy variables for each request
  /// Hosts that no proxy is used for, as in NO_PROXY; loopback is always among them: a key may go
  /// there over plain http because it does not leave the machine.
  std::string no_proxy;
  std::string ca_file;       ///< PEM bundle; empty: the system's
  std::string ca_directory;  ///< hashed directory; empty: the system's
  std::string user_agent;    ///< empty: llmbatch
};

/// Looks an environment variable up; null when it is not set.
using EnvironmentLookup = std::function<const char*(const char* name)>;

/// Fills `use_proxy` (http_proxy, https_proxy, HTTPS_PROXY, all_proxy, ALL_PROXY; upper-case
/// HTTP_PROXY is not honoured, as a web server may set it from a header) and, where they are still
/// empty, `ca_file` and `ca_directory` (CURL_CA_BUNDLE, else SSL_CERT_FILE and SSL_CERT_DIR): the
/// variables of curl(1).
void apply_environment(TransportConfig& config, const EnvironmentLookup& lookup);

}  // namespace llmbatch
