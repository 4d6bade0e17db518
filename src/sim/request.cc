#include "request.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "llmbatch/sim/answer.h"

namespace llmbatch::sim {
namespace {

using Json = nlohmann::json;

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

Dialect dialect_of_path(const HttpRequest& http, Endpoint endpoint) {
  const std::string_view path = http.path;
  if (endpoint == Endpoint::messages) return Dialect::anthropic;
  if (endpoint == Endpoint::generate_content) return Dialect::gemini;
  if (contains(path, "/openai/deployments/") || path.substr(0, 7) == "/azure/") {
    return Dialect::azure;
  }
  if (path.substr(0, 9) == "/mistral/") return Dialect::mistral;
  if (path.substr(0, 10) == "/openai/v1" || path.substr(0, 6) == "/groq/") {
    return http.has_api_key_header ? Dialect::azure : Dialect::groq;
  }
  return Dialect::openai;
}

Dialect dialect_of(const HttpRequest& http, Endpoint endpoint, HeaderStyle style) {
  // The envelope of these two belongs to the endpoint, whatever the headers look like.
  if (endpoint == Endpoint::messages || endpoint == Endpoint::generate_content) {
    return dialect_of_path(http, endpoint);
  }
  switch (style) {
    case HeaderStyle::by_path:
      return dialect_of_path(http, endpoint);
    case HeaderStyle::openai:
      return Dialect::openai;
    case HeaderStyle::azure:
      return Dialect::azure;
    case HeaderStyle::groq:
      return Dialect::groq;
    case HeaderStyle::mistral:
      return Dialect::mistral;
    case HeaderStyle::anthropic:
      return Dialect::anthropic;
    case HeaderStyle::none:
      return Dialect::plain;
  }
  return Dialect::openai;
}

/// The text between `before` and the next slash or colon.
std::string segment_after(std::string_view path, std::string_view before) {
  const std::size_t start = path.find(before);
  if (start == std::string_view::npos) return {};
  const std::string_view rest = path.substr(start + before.size());
  return std::string(rest.substr(0, rest.find_first_of("/:")));
}

/// Collects prompt text: counts every byte, and keeps the text of one message.
struct TextSink {
  std::size_t bytes = 0;
  std::string kept;
  bool asked_again = false;

  void add(const Json& content, bool keep) {
    if (content.is_string()) {
      const auto& text = content.get_ref<const std::string&>();
      bytes += text.size();
      if (keep) kept += text;
    } else if (content.is_array()) {
      for (const Json& part : content) add(part, keep);
    } else if (content.is_object()) {
      for (const char* name : {"text", "content", "parts"}) {
        if (const auto it = content.find(name); it != content.end()) return add(*it, keep);
      }
    }
  }
};

/// What llmbatch asks after an answer that failed its check; the question before it still stands.
bool is_second_question(const Json& message) {
  TextSink sink;
  sink.add(message, true);
  return std::string_view(sink.kept).starts_with("This answer fails its check: ");
}

/// Reads an array of messages; the last message of a user is the prompt.
std::optional<ApiError> read_messages(const Json& messages, const std::string& name,
                                      TextSink& sink) {
  if (!messages.is_array() || messages.empty()) {
    return bad_request("'" + name + "' must be a non-empty array.", name);
  }
  const Json* last_user = nullptr;
  const Json* user_before = nullptr;
  for (const Json& message : messages) {
    if (!message.is_object()) return bad_request("'" + name + "' must hold objects.", name);
    const auto role = message.find("role");
    if (role != message.end() && *role != "user") continue;
    user_before = last_user;
    last_user = &message;
  }
  if (user_before != nullptr && is_second_question(*last_user)) {
    sink.asked_again = true;
    last_user = user_before;
  }
  if (last_user == nullptr) last_user = &messages.back();
  for (const Json& message : messages) sink.add(message, &message == last_user);
  return std::nullopt;
}

std::optional<ApiError> read_embedding_input(const Json& body, Request& request, TextSink& sink) {
  const auto input = body.find("input");
  if (input == body.end()) return bad_request("Missing required parameter: 'input'.", "input");
  const auto add = [&](const Json& one) {
    const std::size_t before = sink.bytes;
    sink.add(one, true);
    // Arrays of token numbers carry no text; a token is four bytes here as elsewhere.
    if (one.is_array()) sink.bytes += 4 * one.size();
    request.embedding_sizes.push_back(sink.bytes - before);
    return sink.bytes > before;
  };
  const bool many = input->is_array() && !input->empty() && !input->front().is_number();
  bool usable = input->is_string() || (input->is_array() && !input->empty());
  if (usable && many) {
    usable = input->size() <= 2048 && std::all_of(input->begin(), input->end(), add);
  } else if (usable) {
    usable = add(*input);
  }
  if (!usable) return bad_request("'input' must be text or at most 2048 non-empty texts.", "input");
  const auto dimensions = body.find("dimensions");
  if (dimensions != body.end() && dimensions->is_number_unsigned()) {
    request.dimensions = std::clamp<std::size_t>(dimensions->get<std::size_t>(), 1, 4096);
  }
  const auto format = body.find("encoding_format");
  request.base64 = format != body.end() && *format == "base64";
  return std::nullopt;
}

std::optional<ApiError> read_anthropic(const HttpRequest& http, const Json& body, TextSink& sink) {
  if (http.anthropic_version.empty()) {
    return bad_request("anthropic-version: header is required");
  }
  if (http.anthropic_version != "2023-06-01" && http.anthropic_version != "2026-10-21") {
    return bad_request("anthropic-version: \"" + http.anthropic_version +
                       "\" is not a valid version");
  }
  const auto max_tokens = body.find("max_tokens");
  if (max_tokens == body.end()) return bad_request("max_tokens: Field required");
  if (!max_tokens->is_number_integer() || max_tokens->get<std::int64_t>() < 1) {
    return bad_request("max_tokens: Input should be greater than or equal to 1");
  }
  for (const char* name : {"temperature", "top_p", "top_k"}) {
    if (http.anthropic_version == "2026-10-21" && body.contains(name)) {
      return bad_request(std::string(name) + ": Extra inputs are not permitted");
    }
  }
  const auto messages = body.find("messages");
  if (messages == body.end()) return bad_request("messages: Field required");
  if (auto error = read_messages(*messages, "messages", sink)) return error;
  if (messages->front().value("role", Json()) == "system") {
    return bad_request("messages.0.role: the first message must not be of role system");
  }
  if (const auto system = body.find("system"); system != body.end()) sink.add(*system, false);
  return std::nullopt;
}

std::optional<ApiError> read_gemini(const Json& body, TextSink& sink) {
  const auto contents = body.find("contents");
  if (contents == body.end() || !contents->is_array() || contents->empty()) {
    return bad_request("* GenerateContentRequest.contents: contents is not specified");
  }
  for (const char* name : {"systemInstruction", "system_instruction"}) {
    if (const auto it = body.find(name); it != body.end()) sink.add(*it, false);
  }
  return read_messages(*contents, "contents", sink);
}

std::optional<ApiError> read_chat(const Route& route, const Json& body, TextSink& sink) {
  if (route.dialect == Dialect::mistral && body.contains("max_completion_tokens")) {
    ApiError error = bad_request("Extra inputs are not permitted", "max_completion_tokens");
    error.status = 422;
    return error;
  }
  const auto messages = body.find("messages");
  if (messages == body.end()) {
    return bad_request("Missing required parameter: 'messages'.", "messages");
  }
  return read_messages(*messages, "messages", sink);
}

std::optional<ApiError> read_responses(const Json& body, TextSink& sink) {
  if (const auto it = body.find("instructions"); it != body.end()) sink.add(*it, false);
  const auto input = body.find("input");
  if (input == body.end()) return bad_request("Missing required parameter: 'input'.", "input");
  if (input->is_string()) {
    sink.add(*input, true);
    return std::nullopt;
  }
  return read_messages(*input, "input", sink);
}

std::optional<ApiError> read_prompt(const Route& route, const HttpRequest& http, const Json& body,
                                    Request& request, TextSink& sink) {
  switch (route.endpoint) {
    case Endpoint::chat:
      return read_chat(route, body, sink);
    case Endpoint::responses:
      return read_responses(body, sink);
    case Endpoint::embeddings:
      return read_embedding_input(body, request, sink);
    case Endpoint::messages:
      return read_anthropic(http, body, sink);
    case Endpoint::generate_content:
      return read_gemini(body, sink);
    case Endpoint::unknown:
    case Endpoint::models:
    case Endpoint::stats:
      break;
  }
  return std::nullopt;
}

/// Takes the schema of `format`, which holds it as `name`, if there is one.
void take_schema(const Json& format, const char* name, Request& request) {
  const auto it = format.find(name);
  if (it != format.end() && it->is_object()) request.schema = it->dump();
}

/// Structured output, as OpenAI (both forms), Anthropic and Gemini ask for it.
void read_format(const Json& body, const Json& config, Request& request) {
  const auto asks_for_json = [](const Json& format) {
    const auto type = format.find("type");
    return type != format.end() && *type != "text";
  };
  const auto response_format = body.find("response_format");
  if (response_format != body.end() && response_format->is_object()) {
    request.wants_json = asks_for_json(*response_format);
    const auto inner = response_format->find("json_schema");
    if (inner != response_format->end()) take_schema(*inner, "schema", request);
  }
  for (const char* outer : {"text", "output_config"}) {
    const auto it = body.find(outer);
    if (it == body.end() || !it->is_object()) continue;
    const auto format = it->find("format");
    if (format == it->end() || !format->is_object()) continue;
    request.wants_json = asks_for_json(*format);
    take_schema(*format, "schema", request);
  }
  const auto mime_type = config.find("responseMimeType");
  if (mime_type != config.end() && *mime_type == "application/json") {
    request.wants_json = true;
    take_schema(config, "responseSchema", request);
    take_schema(config, "responseJsonSchema", request);
  }
}

void read_options(const Json& body, Request& request) {
  const Json* where = &body;
  for (const char* name : {"generationConfig", "generation_config"}) {
    if (const auto it = body.find(name); it != body.end() && it->is_object()) where = &*it;
  }
  for (const char* name :
       {"max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens"}) {
    const auto it = where->find(name);
    if (it != where->end() && it->is_number_integer()) {
      request.max_tokens = std::max<std::int64_t>(1, it->get<std::int64_t>());
    }
  }
  read_format(body, *where, request);
}

std::optional<ApiError> read_body(const Route& route, const HttpRequest& http, const Json& body,
                                  Request& request) {
  request.model = route.model;
  if (route.model.empty()) {
    const auto model = body.find("model");
    if (model == body.end() || !model->is_string() ||
        model->get_ref<const std::string&>().empty()) {
      return route.dialect == Dialect::anthropic
                 ? bad_request("model: Field required")
                 : bad_request("you must provide a model parameter", "model");
    }
    request.model = model->get<std::string>();
  }
  if (const auto stream = body.find("stream"); stream != body.end() && *stream == true) {
    return bad_request("The simulator does not stream.", "stream");
  }
  TextSink sink;
  if (auto error = read_prompt(route, http, body, request, sink)) return error;
  request.prompt = std::move(sink.kept);
  request.asked_again = sink.asked_again;
  request.input_tokens = std::max<std::int64_t>(1, token_count(sink.bytes));
  read_options(body, request);
  return std::nullopt;
}

}  // namespace

Route find_route(const HttpRequest& http, HeaderStyle style) {
  Route route;
  const std::string_view path = http.path;
  if (http.method == "GET") {
    if (path == "/stats") route.endpoint = Endpoint::stats;
    if (ends_with(path, "/models")) route.endpoint = Endpoint::models;
  } else if (http.method == "POST") {
    if (ends_with(path, "/chat/completions")) route.endpoint = Endpoint::chat;
    if (ends_with(path, "/responses")) route.endpoint = Endpoint::responses;
    if (ends_with(path, "/embeddings")) route.endpoint = Endpoint::embeddings;
    if (ends_with(path, "/messages")) route.endpoint = Endpoint::messages;
    if (ends_with(path, ":generateContent") && contains(path, "/models/")) {
      route.endpoint = Endpoint::generate_content;
      route.model = segment_after(path, "/models/");
    }
  }
  route.dialect = dialect_of(http, route.endpoint, style);
  if (contains(path, "/openai/deployments/")) {
    route.model = segment_after(path, "/openai/deployments/");
  }
  return route;
}

std::optional<ApiError> read_request(const Route& route, const HttpRequest& http,
                                     Request& request) {
  const Json body = Json::parse(http.body, nullptr, false);
  if (body.is_discarded()) {
    return bad_request("We could not parse the JSON body of your request.");
  }
  if (!body.is_object()) return bad_request("The body must be a JSON object.");
  try {
    return read_body(route, http, body, request);
  } catch (const Json::exception& exception) {
    return bad_request(exception.what());
  }
}

std::string_view find_marker(std::string_view text) {
  constexpr std::string_view kStart = "[[sim:";
  const std::size_t start = text.find(kStart);
  if (start == std::string_view::npos) return {};
  const std::string_view rest = text.substr(start + kStart.size());
  const std::size_t end = rest.find("]]");
  return end == std::string_view::npos ? std::string_view{} : rest.substr(0, end);
}

}  // namespace llmbatch::sim
