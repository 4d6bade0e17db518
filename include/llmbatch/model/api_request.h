// ApiRequest: one HTTP request beside the calls for items: uploads, batches, downloads. Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace llmbatch {

enum class HttpMethod : std::uint8_t { get, post, remove };

struct ApiRequest {
  HttpMethod method = HttpMethod::get;
  std::string url = {};
  /// Header lines (`Name: value`) beside those of every request (the key, User-Agent).
  std::vector<std::string> headers = {};
  /// The body is `body`, then the whole file `body_file` (streamed, never in memory; empty: none),
  /// then `body_end`. Content-Type is application/json unless `headers` say otherwise.
  std::string body = {};
  std::string body_file = {};
  std::string body_end = {};
  /// Creates and uploads: never on a connection that was used before, because libcurl repeats a
  /// POST by itself when a reused connection dies before the first byte of the answer.
  bool fresh_connection = false;
};

}  // namespace llmbatch
