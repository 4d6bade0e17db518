#include "render.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>

#include "dice.h"
#include "llmbatch/base/text.h"

namespace llmbatch::sim {
namespace {

// A fixed moment: answers are the same bytes in every run.
constexpr std::string_view kCreated = "1790000000";
constexpr std::string_view kRefusal = "I'm sorry, but I can't help with that.";

std::string number(std::int64_t value) { return std::to_string(value); }

std::string_view chat_finish_reason(Finish finish) {
  switch (finish) {
    case Finish::length:
      return "length";
    case Finish::filtered:
    case Finish::prompt_blocked:
      return "content_filter";
    case Finish::stop:
    case Finish::refused:
    case Finish::nothing:
      break;
  }
  return "stop";
}

void append_chat_choice(std::string& out, const Answer& answer, bool azure) {
  out += R"({"index":0,"message":{"role":"assistant")";
  if (answer.finish == Finish::filtered) {
    if (!azure) out += R"(,"content":null,"refusal":null)";
  } else if (answer.finish == Finish::refused) {
    out += R"(,"content":null,"refusal":)";
    append_json_string(out, kRefusal);
  } else {
    out += R"(,"content":)";
    append_json_string(out, answer.text);
    out += R"(,"refusal":null,"annotations":[])";
  }
  out += R"(},"logprobs":null,"finish_reason":")";
  out += chat_finish_reason(answer.finish);
  out += '"';
  if (azure && answer.finish == Finish::filtered) {
    out += R"(,"content_filter_results":{"violence":{"filtered":true,"severity":"high"}})";
  }
  out += '}';
}

void append_floats(std::string& out, Dice& dice, std::size_t count) {
  std::array<char, 32> buffer{};
  const double scale = 1.0 / std::sqrt(static_cast<double>(count));
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    const double value = (2 * dice.uniform() - 1) * scale;
    const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                      std::chars_format::fixed, 8);
    out.append(buffer.data(), result.ptr);
  }
}

void append_base64_floats(std::string& out, Dice& dice, std::size_t count) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const double scale = 1.0 / std::sqrt(static_cast<double>(count));
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) {
    const auto bits =
        std::bit_cast<std::uint32_t>(static_cast<float>((2 * dice.uniform() - 1) * scale));
    for (unsigned shift = 0; shift < 32; shift += 8) {
      bytes += static_cast<char>((bits >> shift) & 0xFFU);
    }
  }
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group <<= 8U;
      if (i + k < bytes.size()) group |= static_cast<unsigned char>(bytes[i + k]);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      const bool padding = i + k > bytes.size();
      out += padding ? '=' : kDigits[(group >> (18 - 6 * k)) & 0x3FU];
    }
  }
}

std::string_view anthropic_stop_reason(Finish finish) {
  switch (finish) {
    case Finish::length:
      return "max_tokens";
    case Finish::filtered:
    case Finish::refused:
    case Finish::prompt_blocked:
      return "refusal";
    case Finish::stop:
    case Finish::nothing:
      break;
  }
  return "end_turn";
}

std::string_view gemini_finish_reason(Finish finish) {
  switch (finish) {
    case Finish::length:
      return "MAX_TOKENS";
    case Finish::filtered:
      return "SAFETY";
    case Finish::refused:
      return "PROHIBITED_CONTENT";
    case Finish::stop:
    case Finish::prompt_blocked:
    case Finish::nothing:
      break;
  }
  return "STOP";
}

void append_response_item(std::string& out, const Answer& answer) {
  out += R"({"type":"reasoning","id":"rs_)" + answer.id + R"(","summary":[]},)";
  out += R"({"type":"message","id":"msg_)" + answer.id +
         R"(","role":"assistant","status":"completed","content":[)";
  if (answer.finish == Finish::refused) {
    out += R"({"type":"refusal","refusal":)";
    append_json_string(out, kRefusal);
    out += '}';
  } else if (answer.finish != Finish::filtered) {
    out += R"({"type":"output_text","text":)";
    append_json_string(out, answer.text);
    out += R"(,"annotations":[]})";
  }
  out += "]}";
}

void append_response_usage(std::string& out, const Request& request, const Answer& answer) {
  out += R"("usage":{"input_tokens":)" + number(request.input_tokens) +
         R"(,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"output_tokens":)" +
         number(answer.output_tokens) +
         R"(,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":)" +
         number(request.input_tokens + answer.output_tokens) + "}";
}

void append_response_head(std::string& out, const Request& request, const Answer& answer) {
  out += R"({"id":"resp_)" + answer.id + R"(","object":"response","created_at":)";
  out += kCreated;
  out += R"(,"model":)";
  append_json_string(out, request.model);
}

}  // namespace

std::string render_chat(const Route& route, const Request& request, const Answer& answer) {
  std::string out;
  out.reserve(answer.text.size() + 700);
  out += R"({"id":"chatcmpl-)" + answer.id + R"(","object":"chat.completion","created":)";
  out += kCreated;
  out += R"(,"model":)";
  append_json_string(out, request.model);
  out += R"(,"choices":[)";
  if (answer.finish != Finish::nothing) {
    append_chat_choice(out, answer, route.dialect == Dialect::azure);
  }
  out += ']';
  if (answer.with_usage) {
    out += R"(,"usage":{"prompt_tokens":)" + number(request.input_tokens) +
           R"(,"completion_tokens":)" + number(answer.output_tokens) + R"(,"total_tokens":)" +
           number(request.input_tokens + answer.output_tokens) +
           R"(,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},)"
           R"("completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}})";
  }
  return out + R"(,"service_tier":"default","system_fingerprint":"fp_simulated"})";
}

std::string render_responses(const Request& request, const Answer& answer) {
  std::string out;
  append_response_head(out, request, answer);
  const bool length = answer.finish == Finish::length;
  const bool filtered = answer.finish == Finish::filtered;
  out += R"(,"status":")";
  out += length || filtered ? "incomplete" : "completed";
  out += R"(","error":null,"incomplete_details":)";
  if (length) {
    out += R"({"reason":"max_output_tokens"})";
  } else {
    out += filtered ? R"({"reason":"content_filter"})" : "null";
  }
  out += R"(,"output":[)";
  if (answer.finish != Finish::nothing) append_response_item(out, answer);
  out += ']';
  if (answer.with_usage) {
    out += ',';
    append_response_usage(out, request, answer);
  }
  return out + "}";
}

std::string render_embeddings(const Request& request, const Answer& answer) {
  std::string out = R"({"object":"list","model":)";
  append_json_string(out, request.model);
  out += R"(,"data":[)";
  const std::size_t dimensions = request.dimensions.value_or(answer.dimensions);
  const std::size_t count = answer.finish == Finish::nothing ? 0 : request.embedding_sizes.size();
  for (std::size_t i = 0; i < count; ++i) {
    Dice dice(answer.hash + i);
    if (i > 0) out += ',';
    out += R"({"object":"embedding","index":)" + std::to_string(i) + R"(,"embedding":)";
    out += request.base64 ? '"' : '[';
    if (request.base64) {
      append_base64_floats(out, dice, dimensions);
    } else {
      append_floats(out, dice, dimensions);
    }
    out += request.base64 ? '"' : ']';
    out += '}';
  }
  out += ']';
  if (answer.with_usage) {
    const std::string tokens = number(request.input_tokens);
    out += R"(,"usage":{"prompt_tokens":)" + tokens + R"(,"total_tokens":)" + tokens + "}";
  }
  return out + "}";
}

std::string render_anthropic_message(const Request& request, const Answer& answer) {
  std::string out =
      R"({"id":"msg_)" + answer.id + R"(","type":"message","role":"assistant","model":)";
  append_json_string(out, request.model);
  out += R"(,"content":[)";
  const bool refused = answer.finish == Finish::refused || answer.finish == Finish::filtered;
  if (!refused && answer.finish != Finish::nothing) {
    out += R"({"type":"text","text":)";
    append_json_string(out, answer.text);
    out += '}';
  }
  out += R"(],"stop_reason":")";
  out += anthropic_stop_reason(answer.finish);
  out += R"(","stop_sequence":null,"stop_details":)";
  out += refused ? R"({"type":"refusal","category":"general_harms","explanation":null})" : "null";
  if (answer.with_usage) {
    // What was read from or written to the cache is not part of input_tokens.
    const std::int64_t rest =
        request.input_tokens - answer.cache_read_tokens - answer.cache_write_tokens;
    out += R"(,"usage":{"input_tokens":)" + number(rest) + R"(,"output_tokens":)" +
           number(answer.output_tokens) + R"(,"cache_creation_input_tokens":)" +
           number(answer.cache_write_tokens) + R"(,"cache_read_input_tokens":)" +
           number(answer.cache_read_tokens) + R"(,"cache_creation":{"ephemeral_5m_input_tokens":)" +
           number(answer.cache_write_tokens) +
           R"(,"ephemeral_1h_input_tokens":0},"service_tier":"standard"})";
  }
  return out + "}";
}

std::string render_gemini_content(const Request& request, const Answer& answer) {
  std::string out = "{";
  if (answer.finish == Finish::prompt_blocked) {
    out += R"("promptFeedback":{"blockReason":"SAFETY"},)";
  } else if (answer.finish != Finish::nothing) {
    out += R"("candidates":[{)";
    if (answer.finish == Finish::stop || answer.finish == Finish::length) {
      out += R"("content":{"role":"model","parts":[{"text":)";
      append_json_string(out, answer.text);
      out += "}]},";
    }
    out += R"("finishReason":")";
    out += gemini_finish_reason(answer.finish);
    out += R"(","index":0}],)";
  }
  if (answer.with_usage) {
    // Fields that are zero are left out, as in all JSON made from protocol buffers.
    out += R"("usageMetadata":{"promptTokenCount":)" + number(request.input_tokens);
    if (answer.output_tokens > 0) {
      out += R"(,"candidatesTokenCount":)" + number(answer.output_tokens);
    }
    out += R"(,"totalTokenCount":)" + number(request.input_tokens + answer.output_tokens) + "},";
  }
  out += R"("modelVersion":)";
  append_json_string(out, request.model);
  return out + R"(,"responseId":")" + answer.id + "\"}";
}

std::string render_answer(const Route& route, const Request& request, const Answer& answer) {
  switch (route.endpoint) {
    case Endpoint::chat:
      return render_chat(route, request, answer);
    case Endpoint::responses:
      return render_responses(request, answer);
    case Endpoint::embeddings:
      return render_embeddings(request, answer);
    case Endpoint::messages:
      return render_anthropic_message(request, answer);
    case Endpoint::generate_content:
      return render_gemini_content(request, answer);
    case Endpoint::unknown:
    case Endpoint::models:
    case Endpoint::stats:
      break;
  }
  return "{}";
}

std::string render_error_object(const Route& route, const Request& request, const Answer& answer) {
  if (route.endpoint == Endpoint::responses) {
    std::string out;
    append_response_head(out, request, answer);
    return out + R"(,"status":"failed","error":{"code":"server_error","message":)"
                 R"("The model failed."},"incomplete_details":null,"output":[]})";
  }
  if (route.dialect == Dialect::anthropic || route.dialect == Dialect::gemini) {
    return render_error(route.dialect, error_for_status(route.dialect, 500), "req_" + answer.id);
  }
  return R"({"error":{"code":502,"message":"Provider returned error",)"
         R"("metadata":{"provider_name":"Simulated","raw":"upstream failed"}}})";
}

}  // namespace llmbatch::sim
