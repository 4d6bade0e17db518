// HttpClient: one HTTP request at a time, of any size: bodies are streamed from and into files.
// What the calls for items go through is Transport. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "llmbatch/base/clock.h"
#include "llmbatch/model/api_request.h"
#include "llmbatch/model/http.h"

namespace llmbatch {

struct TransferProgress {
  std::int64_t sent_bytes = 0;
  std::int64_t to_send_bytes = 0;  ///< 0: unknown
  std::int64_t received_bytes = 0;
};

class HttpClient {
 public:
  /// Asked several times a second while a request is under way; false ends it (`aborted`).
  using Watch = std::function<bool(const TransferProgress&)>;

  virtual ~HttpClient() = default;

  /// Never repeats a request. GETs follow redirects; the key goes to no other origin than that of
  /// the request.
  virtual HttpReply send(const ApiRequest& request, const Watch& watch) = 0;

  /// Like send(), with the body of a 2xx reply appended to the file `path` from where it ends: the
  /// rest is asked for by a range, and a server that sends the whole instead replaces it. With
  /// `reply.error` set, what had come stays in the file and the next call goes on from there.
  virtual HttpReply download(const ApiRequest& request, const std::string& path,
                             const Watch& watch) = 0;

  /// Sleeps until the deadline, or shorter when a signal came.
  virtual void wait_until(SteadyTime deadline) = 0;
};

}  // namespace llmbatch
