// FileTransfer: one request of a CurlClient, its body from a file and into a file. Facts of libcurl
// are those of 7.88 (curl.se/libcurl/c). Thread rule: one thread.
#pragma once

#include <curl/curl.h>

#include <string>
#include <string_view>

#include "llmbatch/base/fd.h"
#include "llmbatch/net/transport_config.h"
#include "llmbatch/port/http_client.h"

namespace llmbatch::net {

class FileTransfer {
 public:
  FileTransfer(CURL* easy, const TransportConfig& config, const Clock& clock)
      : easy_(easy), config_(config), clock_(clock) {}
  FileTransfer(const FileTransfer&) = delete;
  FileTransfer& operator=(const FileTransfer&) = delete;

  struct Options {
    const std::string* path = nullptr;  ///< file for the body of a 2xx reply; null: into the reply
    bool with_key = true;
    const HttpClient::Watch& watch;
  };
  HttpReply run(const ApiRequest& request, Options options);

 private:
  /// False: the request cannot be made, and `reply_` says why.
  bool open_body(const ApiRequest& request);
  bool open_target(const std::string& path);
  void set_options(const ApiRequest& request, curl_slist* headers);
  curl_slist* make_headers(const ApiRequest& request, bool with_key) const;
  bool fail(TransportError error, std::string message);
  void begin_reply(std::string_view status_line);
  bool is_complete() const;
  bool range_fits() const;
  bool begin_file();
  std::size_t take(std::string_view bytes);
  std::size_t give(char* buffer, std::size_t size);
  void conclude(CURLcode code);

  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_read(char* buffer, std::size_t size, std::size_t count, void* self);
  static int on_progress(void* self, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent);
  static int on_request(void* self, char*, char*, int, int);

  CURL* easy_;
  const TransportConfig& config_;
  const Clock& clock_;
  const ApiRequest* request_ = nullptr;
  const HttpClient::Watch* watch_ = nullptr;
  HttpReply reply_;
  UniqueFd source_;
  std::uint64_t source_bytes_ = 0;
  std::uint64_t sent_bytes_ = 0;  ///< of all three parts
  std::uint64_t body_bytes_ = 0;
  UniqueFd target_;
  std::uint64_t target_bytes_ = 0;  ///< what the file had before
  bool target_begun_ = false;
  bool headers_complete_ = false;
  bool aborted_ = false;
};

}  // namespace llmbatch::net
