#include "llmbatch/net/curl_client.h"

#include <poll.h>

#include <algorithm>

#include "file_transfer.h"

namespace llmbatch {
namespace {

constexpr int kMostRedirects = 5;

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

struct UrlHandle {
  CURLU* url = curl_url();
  UrlHandle() = default;
  UrlHandle(const UrlHandle&) = delete;
  UrlHandle& operator=(const UrlHandle&) = delete;
  ~UrlHandle() { curl_url_cleanup(url); }

  bool set(const std::string& text) {
    return curl_url_set(url, CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
  }
  std::string part(CURLUPart part, unsigned flags = 0) const {
    char* text = nullptr;
    if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
    std::string result(text);
    curl_free(text);
    return result;
  }
  std::string origin() const {
    return part(CURLUPART_SCHEME) + "://" + part(CURLUPART_HOST) + ":" +
           part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
  }
};

/// Where a redirect leads; empty when it must not be followed.
std::string redirect_target(const std::string& from, std::string_view location) {
  UrlHandle url;
  if (location.empty() || !url.set(from)) return {};
  const bool was_https = url.part(CURLUPART_SCHEME) == "https";
  if (!url.set(std::string(location))) return {};
  const std::string scheme = url.part(CURLUPART_SCHEME);
  if (scheme != "https" && (was_https || scheme != "http")) return {};
  return url.part(CURLUPART_URL);
}

std::string origin_of(const std::string& text) {
  UrlHandle url;
  return url.set(text) ? url.origin() : std::string();
}

HttpReply refused_redirect(HttpReply reply, const std::string& why) {
  reply.error = TransportError::protocol;
  reply.error_message = why;
  return reply;
}

}  // namespace

struct CurlClient::Handle {
  CURL* easy = curl_easy_init();
  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { curl_easy_cleanup(easy); }
};

CurlClient::CurlClient(TransportConfig config, const Clock& clock, const Interrupts& interrupts)
    : config_(std::move(config)),
      clock_(clock),
      interrupts_(interrupts),
      handle_(std::make_unique<Handle>()) {}

CurlClient::~CurlClient() = default;

Result<std::unique_ptr<CurlClient>> CurlClient::create(TransportConfig config, const Clock& clock,
                                                       const Interrupts& interrupts) {
  std::unique_ptr<CurlClient> client(new CurlClient(std::move(config), clock, interrupts));
  if (client->handle_->easy == nullptr) return failure("network: out of memory");
  return client;
}

HttpReply CurlClient::send(const ApiRequest& request, const Watch& watch) {
  return follow(request, nullptr, watch);
}

HttpReply CurlClient::download(const ApiRequest& request, const std::string& path,
                               const Watch& watch) {
  return follow(request, &path, watch);
}

HttpReply CurlClient::follow(const ApiRequest& request, const std::string* path,
                             const Watch& watch) {
  const std::string first_origin = origin_of(request.url);
  ApiRequest hop = request;
  for (int redirects = 0;; ++redirects) {
    const bool with_key = origin_of(hop.url) == first_origin;
    HttpReply reply =
        net::FileTransfer(handle_->easy, config_, clock_).run(hop, {path, with_key, watch});
    const bool redirected = reply.error == TransportError::none && is_redirect(reply.status);
    if (!redirected || request.method != HttpMethod::get) return reply;
    if (redirects == kMostRedirects)
      return refused_redirect(std::move(reply), "too many redirects");
    hop.url = redirect_target(hop.url, find_header(reply.headers, "Location"));
    if (hop.url.empty()) {
      return refused_redirect(std::move(reply), "redirected to where the request must not go");
    }
  }
}

void CurlClient::wait_until(SteadyTime deadline) {
  const Duration left = deadline - clock_.now();
  if (left <= Duration(0)) return;
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  pollfd signals{interrupts_.fd(), POLLIN, 0};
  poll(&signals, interrupts_.fd() >= 0 ? 1 : 0,
       static_cast<int>(std::min<std::int64_t>(millis, 1 << 30)));
}

}  // namespace llmbatch
