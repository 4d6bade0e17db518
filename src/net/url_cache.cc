#include "url_cache.h"

namespace llmbatch::net {
namespace {

constexpr std::size_t kMostUrls = 64;

bool is_http(CURLU* url) {
  char* scheme = nullptr;
  if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK) return false;
  const std::string_view text(scheme);
  const bool result = text == "http" || text == "https";
  curl_free(scheme);
  return result;
}

}  // namespace

Result<const ParsedUrl*> UrlCache::find(std::string_view url) {
  if (last_ != nullptr && last_text_ == url) return last_;
  std::string text(url);
  auto found = urls_.find(text);
  if (found == urls_.end()) {
    const ParsedUrl parsed(curl_url(), UrlDelete());
    if (!parsed) return failure("network: out of memory");
    const CURLUcode code = curl_url_set(parsed.get(), CURLUPART_URL, text.c_str(), 0);
    if (code != CURLUE_OK) return usage_error("url '" + text + "': " + curl_url_strerror(code));
    if (!is_http(parsed.get())) return usage_error("url '" + text + "': not http or https");
    if (urls_.size() >= kMostUrls) urls_.clear();
    found = urls_.emplace(text, parsed).first;
  }
  last_text_ = std::move(text);
  last_ = &found->second;
  return last_;
}

}  // namespace llmbatch::net
