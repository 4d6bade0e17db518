// Call: one easy handle, set up once and reused, and the reply it collects. Thread rule: the loop
// thread. Facts of libcurl are those of 7.88 (curl.se/libcurl/c).
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "llmbatch/model/http.h"
#include "llmbatch/net/transport_config.h"
#include "llmbatch/port/transport.h"
#include "poller.h"
#include "url_cache.h"

namespace llmbatch::net {

struct ListDelete {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListDelete>;

/// The header lines of `config` and those every request needs; null when out of memory.
HeaderList make_header_list(const TransportConfig& config);

class Call {
 public:
  /// `headers` and `poller` outlive the call and every connection that it opens.
  Call(const TransportConfig& config, curl_slist* headers, Poller& poller);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  bool valid() const { return easy_ != nullptr; }
  CURL* easy() const { return easy_; }
  static Call* of(CURL* easy);

  void prepare(CallId id, const ParsedUrl& url, std::string_view body, const Clock& clock);
  /// Moves the reply out; the handle is ready for the next call.
  TransportCompletion finish(CURLcode code, SteadyTime now);
  TransportCompletion finish_aborted(SteadyTime now);

  std::size_t active_index = 0;  ///< kept by the transport

 private:
  void set_options(const TransportConfig& config, curl_slist* headers);
  TransportError classify(CURLcode code) const;
  bool is_complete() const;
  std::string describe(CURLcode code, TransportError error) const;
  void read_status_line(std::string_view line);

  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static int on_request(void* self, char*, char*, int, int);
  static curl_socket_t on_open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int on_close_socket(void* poller, curl_socket_t socket);

  CURL* easy_ = nullptr;
  Poller& poller_;
  std::size_t max_body_bytes_;
  CallId id_ = 0;
  ParsedUrl url_;
  HttpReply reply_;
  SteadyTime started_{};
  bool headers_complete_ = false;
  bool too_large_ = false;
  bool repeat_refused_ = false;
  int socket_errno_ = 0;  ///< why no socket could be opened
  std::array<char, CURL_ERROR_SIZE> error_text_{};
};

}  // namespace llmbatch::net
