// Simulator::Server::Exchange: one HTTP request and its reply, on libmicrohttpd's side.
// Thread rule: the server's thread, except while the connection is suspended.
#pragma once

#include <string_view>

#include "server.h"

namespace llmbatch::sim {

struct Simulator::Server::Exchange {
  Exchange(MHD_Connection* connection, const char* url, const char* method);

  void add_body(std::string_view bytes) { http.body += bytes; }
  void release_body() { http.body = {}; }
  void read_headers();
  /// Queues the reply, or has the connection closed.
  MHD_Result send();

  MHD_Connection* connection;
  int fd = -1;
  HttpRequest http;
  Reply reply;
  bool decided = false;

 private:
  std::string header(const char* name) const;
  void read_key();
  MHD_Response* make_response();
};

}  // namespace llmbatch::sim
