// UrlCache: parsed URLs by text, because parsing one costs more than a request should. A run uses a
// handful of URLs; the cache is bounded all the same. Thread rule: the loop thread.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "llmbatch/base/result.h"

namespace llmbatch::net {

struct UrlDelete {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

using ParsedUrl = std::shared_ptr<CURLU>;

class UrlCache {
 public:
  /// Fails when `url` is malformed or neither http nor https. The view stays valid until the next
  /// call; a holder of the pointer keeps its URL when the cache lets go of it.
  Result<const ParsedUrl*> find(std::string_view url);

 private:
  std::unordered_map<std::string, ParsedUrl> urls_;
  std::string last_text_;
  const ParsedUrl* last_ = nullptr;
};

}  // namespace llmbatch::net
