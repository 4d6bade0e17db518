// What every libcurl handle of ours has in common. Thread rule: that of the handle.
#pragma once

#include <curl/curl.h>

#include "llmbatch/model/http.h"
#include "llmbatch/net/transport_config.h"

namespace llmbatch::net {

/// At least 1, for options that take milliseconds.
long to_millis(Duration duration);

TransportError error_of(CURLcode code);

/// Proxy, HTTP version, TLS.
void set_network_options(CURL* easy, const TransportConfig& config);

}  // namespace llmbatch::net
