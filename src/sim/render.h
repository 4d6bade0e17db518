// Bodies of HTTP 200 answers, in the shapes of the simulated APIs. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "request.h"

namespace llmbatch::sim {

enum class Finish : std::uint8_t { stop, length, filtered, refused, prompt_blocked, nothing };

struct Answer {
  std::string id;  ///< 16 hexadecimal digits
  std::string text;
  Finish finish = Finish::stop;
  std::int64_t output_tokens = 0;
  std::int64_t cache_read_tokens = 0;  ///< both are part of the request's input
  std::int64_t cache_write_tokens = 0;
  bool with_usage = true;
  std::uint64_t hash = 0;       ///< of the request; decides the numbers of an embedding
  std::size_t dimensions = 16;  ///< of an embedding, unless the request says
};

std::string render_answer(const Route& route, const Request& request, const Answer& answer);

/// HTTP 200 around an error: `failed` responses, OpenRouter's form elsewhere.
std::string render_error_object(const Route& route, const Request& request, const Answer& answer);

/// One endpoint each.
std::string render_chat(const Route& route, const Request& request, const Answer& answer);
std::string render_responses(const Request& request, const Answer& answer);
std::string render_embeddings(const Request& request, const Answer& answer);
std::string render_anthropic_message(const Request& request, const Answer& answer);
std::string render_gemini_content(const Request& request, const Answer& answer);

}  // namespace llmbatch::sim
