#include "curl_options.h"

#include <algorithm>
#include <array>

namespace llmbatch::net {

long to_millis(Duration duration) {
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<long>(std::clamp<std::int64_t>(millis, 1, std::int64_t{1} << 31));
}

TransportError error_of(CURLcode code) {
  if (code == CURLE_OK) return TransportError::none;
  if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY) {
    return TransportError::resolve;
  }
  if (code == CURLE_COULDNT_CONNECT || code == CURLE_PROXY) return TransportError::connect;
  if (code == CURLE_OPERATION_TIMEDOUT) return TransportError::timeout;
  constexpr std::array kTls = {CURLE_SSL_CONNECT_ERROR,
                               CURLE_SSL_ENGINE_NOTFOUND,
                               CURLE_SSL_ENGINE_SETFAILED,
                               CURLE_SSL_CERTPROBLEM,
                               CURLE_SSL_CIPHER,
                               CURLE_PEER_FAILED_VERIFICATION,
                               CURLE_USE_SSL_FAILED,
                               CURLE_SSL_ENGINE_INITFAILED,
                               CURLE_SSL_CACERT_BADFILE,
                               CURLE_SSL_CRL_BADFILE,
                               CURLE_SSL_SHUTDOWN_FAILED,
                               CURLE_SSL_ISSUER_ERROR,
                               CURLE_SSL_INVALIDCERTSTATUS,
                               CURLE_SSL_PINNEDPUBKEYNOTMATCH,
                               CURLE_SSL_CLIENTCERT};
  if (std::find(kTls.begin(), kTls.end(), code) != kTls.end()) return TransportError::tls;
  constexpr std::array kReset = {CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_RECV_ERROR,
                                 CURLE_SEND_ERROR, CURLE_SEND_FAIL_REWIND};
  if (std::find(kReset.begin(), kReset.end(), code) != kReset.end()) return TransportError::reset;
  return TransportError::protocol;
}

void set_network_options(CURL* easy, const TransportConfig& config) {
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  // The empty string spares libcurl the look at a dozen environment variables for each request.
  if (config.use_proxy) {
    curl_easy_setopt(easy, CURLOPT_NOPROXY, config.no_proxy.c_str());
  } else {
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
  }
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                   config.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
  if (config.http2) curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!config.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, config.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, config.ca_file.c_str());
  }
  if (!config.ca_directory.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAPATH, config.ca_directory.c_str());
    curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, config.ca_directory.c_str());
  }
}

}  // namespace llmbatch::net
