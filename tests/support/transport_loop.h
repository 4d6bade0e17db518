// Drives a Transport in a test: one call, or until a number of calls completed.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "llmbatch/port/transport.h"

namespace llmbatch::test {

inline std::vector<TransportCompletion> complete(Transport& transport, const Clock& clock,
                                                 std::size_t count,
                                                 Duration patience = std::chrono::seconds(20)) {
  std::vector<TransportCompletion> completions;
  const SteadyTime end = clock.now() + patience;
  while (completions.size() < count && clock.now() < end) transport.wait(end, completions);
  return completions;
}

/// The reply of one call; `aborted` with an explaining message when it could not be started.
inline HttpReply call(Transport& transport, const Clock& clock, std::string_view url,
                      std::string_view body = "{}") {
  HttpReply none;
  none.error = TransportError::aborted;
  const Status status = transport.start(1, url, body);
  if (!status) {
    none.error_message = "not started: " + status.error().message;
    return none;
  }
  auto completions = complete(transport, clock, 1);
  if (completions.empty()) {
    none.error_message = "no completion";
    return none;
  }
  return std::move(completions.front().reply);
}

}  // namespace llmbatch::test
