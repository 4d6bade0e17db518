// Transport: many HTTP POSTs at a time. It never queues: what is started is on the wire. Thread
// rule: one loop thread owns it; only wake() may be called from other threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "llmbatch/base/clock.h"
#include "llmbatch/base/result.h"
#include "llmbatch/model/http.h"

namespace llmbatch {

using CallId = std::uint64_t;

struct TransportCompletion {
  CallId id = 0;
  HttpReply reply;
};

class Transport {
 public:
  virtual ~Transport() = default;

  /// Starts one POST. `body` must stay where it is until the completion was handed out; `url` is
  /// copied or cached. Fails only when nothing was sent (out of descriptors, malformed URL).
  virtual Status start(CallId id, std::string_view url, std::string_view body) = 0;

  /// Waits until a call completes, wake() is called, a watched descriptor is readable or `deadline`
  /// is reached, precise to well under a millisecond; appends what completed.
  virtual void wait(SteadyTime deadline, std::vector<TransportCompletion>& completions) = 0;

  /// Makes the current or next wait() return. Safe from any thread.
  virtual void wake() = 0;

  /// wait() also returns when `fd` is readable; the reader drains it.
  virtual void watch(int fd) = 0;

  /// Ends every call in flight; each completes with TransportError::aborted in the next wait().
  virtual void abort_all() = 0;

  virtual std::size_t in_flight() const = 0;
};

}  // namespace llmbatch
