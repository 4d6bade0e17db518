// HTTP as the engine sees it: a POST of JSON and what came back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "llmbatch/base/clock.h"

namespace llmbatch {

enum class TransportError : std::uint8_t {
  none,
  resolve,    ///< host name not found
  connect,    ///< refused, unreachable, proxy
  tls,        ///< handshake or certificate
  timeout,    ///< total or connect timeout
  reset,      ///< connection lost before the answer was complete
  too_large,  ///< the answer passed the size cap
  protocol,   ///< not HTTP, HTTP/2 stream error, bad encoding
  aborted,    ///< ended by us (second interrupt)
};

struct HttpReply {
  TransportError error = TransportError::none;
  std::string error_message;  ///< of the transport
  int status = 0;             ///< 0 when no status line came
  std::string headers;        ///< raw header lines of the final response, `Name: value\r\n` each
  std::string body;           ///< decoded (gzip, br, zstd), as far as it came
  WallTime started_at{};
  Duration latency{};  ///< from start to the last byte
  Duration time_to_first_byte{};
  /// How often the request was put on the wire: more than 1 when the transport had to repeat it.
  std::uint32_t transmissions = 1;
};

/// Value of the first header `name` (ASCII case-insensitive) in a raw header block, trimmed; empty
/// when there is none. The view points into `headers`.
std::string_view find_header(std::string_view headers, std::string_view name);

}  // namespace llmbatch
