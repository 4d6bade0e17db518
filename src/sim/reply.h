// Reply: what the simulator answers one HTTP request with. Plain data.
#pragma once

#include <cstdint>
#include <string>

#include "llmbatch/base/clock.h"
#include "llmbatch/base/hash.h"
#include "rate_headers.h"

namespace llmbatch::sim {

/// What becomes of the connection.
enum class Ending : std::uint8_t {
  complete,   ///< the whole answer is sent
  cut_body,   ///< half of the body is sent, then the connection is closed
  no_answer,  ///< the connection is reset without a byte
  hang,       ///< nothing is sent, the connection stays open
};

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  Headers headers;
  std::string body;
  Duration delay{};
  Ending ending = Ending::complete;
  std::string outcome = "ok";  ///< name in the counters
  bool counted = true;         ///< false for `GET /stats` and `GET /v1/models`
  bool server_goes_down = false;
  Hash128 body_hash{};
  std::uint32_t attempt = 0;
};

}  // namespace llmbatch::sim
