// Request: what the simulator understands of one HTTP request. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "errors.h"
#include "llmbatch/sim/settings.h"

namespace llmbatch::sim {

enum class Endpoint : std::uint8_t {
  unknown,
  chat,
  responses,
  embeddings,
  messages,
  generate_content,
  models,
  stats,
};

/// The parts of the HTTP request that matter, as the server read them.
struct HttpRequest {
  std::string method;
  std::string path;
  std::string key;  ///< from whichever header or query parameter carried one
  std::string anthropic_version;
  std::string script;  ///< x-mock-script
  std::string content_type;
  std::string range;
  std::string origin;          ///< `http://127.0.0.1:1234`, as the client sees the server
  std::string upload_command;  ///< x-goog-upload-command
  std::vector<std::pair<std::string, std::string>> arguments;  ///< of the query
  bool has_api_key_header = false;                             ///< Azure's `api-key`
  std::string body;
};

struct Route {
  Endpoint endpoint = Endpoint::unknown;
  Dialect dialect = Dialect::openai;
  std::string model;  ///< where the path names it
};

Route find_route(const HttpRequest& http, HeaderStyle style);

/// What of the body the answer depends on.
struct Request {
  std::string model;
  std::string prompt;  ///< the text of the last user message
  std::int64_t input_tokens = 0;
  std::optional<std::int64_t> max_tokens;
  std::vector<std::size_t> embedding_sizes;  ///< bytes of each input
  std::optional<std::size_t> dimensions;
  bool base64 = false;
  bool asked_again = false;  ///< after an answer that failed its check
  bool wants_json = false;   ///< a JSON response format was asked for
  std::string schema;        ///< the JSON Schema that came with it, if any
};

/// Reads and checks the body; what is wrong comes back in the words of the API.
std::optional<ApiError> read_request(const Route& route, const HttpRequest& http, Request& request);

/// The steps of `[[sim:429,ok]]` in `text`, if any.
std::string_view find_marker(std::string_view text);

}  // namespace llmbatch::sim
