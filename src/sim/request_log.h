// RequestLog: one JSON line per request, for tests that count them. Each line is one write(), so
// that it is whole whenever the process dies. Thread rule: one thread at a time.
#pragma once

#include <string>

#include "llmbatch/base/clock.h"
#include "llmbatch/base/fd.h"
#include "responder.h"

namespace llmbatch::sim {

class RequestLog {
 public:
  /// Opens `path` for appending; an empty path makes a log that writes nothing.
  static Result<RequestLog> open(const std::string& path);

  /// A line that cannot be written is lost: the simulator goes on.
  void write(const Reply& reply, WallTime now);

 private:
  UniqueFd fd_;
};

}  // namespace llmbatch::sim
