#include "request_builder.h"

#include <algorithm>

#include "answer_format.h"
#include "llmbatch/base/text.h"
#include "messages.h"
#include "raw_json.h"

namespace llmbatch {
namespace {

/// Marks the block it stands in, and what comes before it, for Anthropic's prompt cache (5 minutes
/// from the last use). Source: platform.claude.com, Prompt caching.
constexpr std::string_view kCacheMark = R"(,"cache_control":{"type":"ephemeral"})";

/// Of the inside of a raw JSON string.
bool is_blank_text(std::string_view inner) {
  while (!inner.empty()) {
    const bool escaped =
        inner.starts_with("\\n") || inner.starts_with("\\r") || inner.starts_with("\\t");
    if (!escaped && inner.front() != ' ') return false;
    inner.remove_prefix(escaped ? 2 : 1);
  }
  return true;
}

/// A raw JSON string that says something.
bool has_text(std::string_view raw) {
  return is_json_string(raw) && !is_blank_text(raw.substr(1, raw.size() - 2));
}

std::string_view field_value(const LineFields& line, std::string_view name) {
  if (line.form == LineForm::record) return {};
  std::string_view found;
  for (const auto& field : line.fields) {
    if (field.name == name && field.value != "null") found = field.value;
  }
  return found;
}

Status check_stream(std::string_view value) {
  if (value.empty() || value == "false" || value == "null") return {};
  return failure("stream: must be absent or false (value " + truncate_chars(value, 40) + ")");
}

/// The limit that a complete body names itself; 0 when it names none.
TokenCount cap_in_body(std::string_view name, std::string_view value) {
  if (name == "max_tokens" || name == "max_completion_tokens" || name == "max_output_tokens") {
    return raw_integer(value).value_or(0);
  }
  if ((name == "generationConfig" || name == "generation_config") && is_json_object(value)) {
    auto cap = raw_member(value, "maxOutputTokens");
    if (cap.empty()) cap = raw_member(value, "max_output_tokens");
    return raw_integer(cap).value_or(0);
  }
  return 0;
}

constexpr std::string_view kGeminiModels = "models/";

/// What of the content begun at `start` counts as messages: OpenAI leaves `instructions` out.
std::string_view messages_of(std::string_view body, std::size_t start) {
  constexpr std::string_view kInstructions = R"("instructions":)";
  std::string_view content = body.substr(start);
  std::size_t at = 0;
  if (!content.starts_with(kInstructions)) return content;
  at = kInstructions.size();
  return skip_json_value(content, at) ? content.substr(at) : content;
}

tl::unexpected<Error> foreign_url(std::string_view url, WireFormat format,
                                  std::string_view expected) {
  return failure("url: '" + truncate_chars(url, 80) + "' is not of wire format " +
                 std::string(to_string(format)) + " (expected '" + std::string(expected) + "')");
}

}  // namespace

Result<RequestBuilder> RequestBuilder::make(const ProviderConfig& config, std::string base_url) {
  const auto& profile = config.profile != nullptr ? *config.profile : generic_profile();
  auto without_format = Parameters::make(config.wire_format, profile, config.defaults);
  if (!without_format) return forward_error(without_format);
  const AskedFormat asked =
      asked_format(config.wire_format, profile, config.defaults.answer_format);
  RequestDefaults defaults = config.defaults;
  if (!asked.response_format.empty()) {
    defaults.parameters.emplace_back("response_format", asked.response_format);
  }
  auto parameters = Parameters::make(config.wire_format, profile, defaults);
  if (!parameters) return forward_error(parameters);
  RequestBuilder builder(std::move(*parameters), std::move(*without_format));
  builder.format_needs_word_ = asked.needs_word;
  builder.format_ = config.wire_format;
  builder.identity_ = std::string(to_string(config.wire_format)) + "\n" +
                      (profile.name.empty() ? "custom" : std::string(profile.name)) + "\n";
  if (const auto mark = base_url.find('?'); mark != std::string::npos) {
    builder.query_ = base_url.substr(mark);
    base_url.resize(mark);
    while (base_url.ends_with('/')) base_url.pop_back();
  }
  builder.base_ = std::move(base_url);
  builder.model_in_url_ = builder.base_.find("/openai/deployments/") != std::string::npos;
  const auto& model = config.defaults.model;
  builder.model_name_ = model;
  if (builder.model_name_.starts_with(kGeminiModels) &&
      config.wire_format == WireFormat::gemini_generate) {
    builder.model_name_.erase(0, kGeminiModels.size());
  }
  if (!model.empty()) append_json_string(builder.model_, model);
  if (config.defaults.mark_prompt_cache) {
    builder.shared_prompt_ = config.defaults.shared_prompt;
    builder.mark_system_ = config.defaults.shared_system;
  }
  if (config.defaults.system) append_json_string(builder.system_, *config.defaults.system);
  if (config.wire_format != WireFormat::gemini_generate || !model.empty()) {
    builder.set_url(builder.url_, endpoint_path(config.wire_format, model));
  }
  return builder;
}

void RequestBuilder::set_url(std::string& url, std::string_view path) const {
  url.assign(base_).append(path).append(query_);
}

/// Puts the text of a raw model name into `name`; without one, the job's model.
void RequestBuilder::name_model(std::string_view raw, std::string& name) const {
  if (raw.empty() || raw == model_) {
    name.assign(model_name_);
    return;
  }
  name.clear();
  if (is_json_string(raw) && raw.find('\\') == std::string_view::npos) {
    name.assign(raw.substr(1, raw.size() - 2));
  } else if (auto decoded = decode_json_string(raw)) {
    name = std::move(*decoded);
  }
  if (format_ == WireFormat::gemini_generate && name.starts_with(kGeminiModels)) {
    name.erase(0, kGeminiModels.size());
  }
}

Status RequestBuilder::build(const LineFields& line, Request& request) const {
  request.output_cap = 0;
  if (line.form == LineForm::batch_line) return build_batch_line(line, request);
  if (auto status = check_stream(field_value(line, "stream")); !status) return status;
  const auto own_model = field_value(line, "model");
  if (!own_model.empty() && (!is_json_string(own_model) || own_model == R"("")")) {
    return failure("model: not a name (value " + truncate_chars(own_model, 60) + ")");
  }
  const std::string_view model = own_model.empty() ? std::string_view(model_) : own_model;
  if (model.empty() && !model_in_url_)
    return failure("model: none given, neither here nor for the job");

  name_model(own_model, request.model);
  auto& body = request.body;
  body.clear();
  if (format_ == WireFormat::gemini_generate) {
    request.url = url_;
    if (!own_model.empty()) {
      const auto name = decode_json_string(own_model);
      if (!name) return failure("model: not a valid string");
      set_url(request.url, endpoint_path(format_, *name));
    }
    body += '{';
  } else {
    request.url = url_;
    body += '{';
    if (!model.empty()) body.append(R"("model":)").append(model).append(",");
  }
  const auto content = body.size();
  if (auto status = append_content(line, body); !status) return status;
  const bool ask = !format_needs_word_ || mentions_json(messages_of(body, content));
  const Parameters& parameters = ask ? parameters_ : without_format_;
  const bool bare = line.form == LineForm::record;
  auto status =
      parameters.append(body, bare ? std::span<const RawField>{} : line.fields, request.output_cap);
  if (!status) return status;
  body += '}';
  return {};
}

Status RequestBuilder::append_content(const LineFields& line, std::string& body) const {
  if (line.form == LineForm::messages && !is_json_array(line.messages)) {
    return failure("messages: not an array (value " + truncate_chars(line.messages, 60) + ")");
  }
  const bool has_prompt = line.form != LineForm::messages && !line.prompt.empty();
  if (has_prompt && !is_json_string(line.prompt)) {
    return failure("prompt: not a string (value " + truncate_chars(line.prompt, 60) + ")");
  }
  switch (format_) {
    case WireFormat::openai_chat:
      return append_chat(line, body);
    case WireFormat::openai_responses:
    case WireFormat::openai_embeddings:
      return append_input(line, body);
    case WireFormat::anthropic_messages:
      return append_anthropic(line, body);
    case WireFormat::gemini_generate:
      return append_gemini(line, body);
  }
  return {};
}

Status RequestBuilder::append_chat(const LineFields& line, std::string& body) const {
  const bool listed = line.form == LineForm::messages;
  if (!listed && line.prompt.empty()) return failure("neither messages nor prompt is given");
  std::string_view system = line.system;
  // A system message of the line's own takes the place of the job's.
  const bool job_system = system.empty() && !system_.empty();
  if (job_system && !(listed && starts_with_system(line.messages))) system = system_;
  const auto inner = listed ? inner_json(line.messages) : std::string_view{};
  if (listed && inner.empty()) return failure("messages: empty");
  if (listed && system.empty()) {
    body.append(R"("messages":)").append(line.messages);
    return {};
  }
  body += R"("messages":[)";
  if (!system.empty()) body.append(R"({"role":"system","content":)").append(system).append("},");
  if (listed) {
    body.append(inner).append("]");
  } else {
    body.append(R"({"role":"user","content":)").append(line.prompt).append("}]");
  }
  return {};
}

Status RequestBuilder::append_input(const LineFields& line, std::string& body) const {
  const bool embeddings = format_ == WireFormat::openai_embeddings;
  std::string_view input = line.form == LineForm::messages ? line.messages : line.prompt;
  if (embeddings && line.form == LineForm::messages) {
    return failure("messages: cannot be embedded (expected prompt or input)");
  }
  if (input.empty()) input = field_value(line, "input");
  if (input.empty()) return failure("neither prompt nor input is given");
  if (inner_json(input).empty()) return failure("input: empty");
  if (embeddings) {
    body.append(R"("input":)").append(input);
    return {};
  }
  std::string_view system = line.system;
  if (system.empty()) system = field_value(line, "instructions");
  const bool listed = line.form == LineForm::messages;
  if (system.empty() && !(listed && starts_with_system(line.messages))) system = system_;
  if (!system.empty()) body.append(R"("instructions":)").append(system).append(",");
  body.append(R"("input":)").append(input);
  return {};
}

Status RequestBuilder::append_anthropic(const LineFields& line, std::string& body) const {
  std::string own_system;
  std::string_view rest;
  const bool listed = line.form == LineForm::messages;
  if (!listed && line.prompt.empty()) return failure("neither messages nor prompt is given");
  if (listed) {
    if (auto status = hoist_system(line.messages, own_system, rest); !status) return status;
    if (rest.empty()) return failure("messages: no user message");
  }
  std::string_view system = line.system;
  if (system.empty()) system = own_system;
  if (system.empty()) system = system_;
  if (!line.system.empty() && !own_system.empty()) {
    return failure("system: given twice, as a field and as a message");
  }
  std::string content;
  const bool marked = !listed && append_marked_prompt(line, content);
  if (!marked && mark_system_ && has_text(system)) {
    body.append(R"("system":[{"type":"text","text":)").append(system);
    body.append(kCacheMark).append("}],");
  } else if (!system.empty()) {
    body.append(R"("system":)").append(system).append(",");
  }
  if (listed) {
    body.append(R"("messages":[)").append(rest).append("]");
    return {};
  }
  body.append(R"("messages":[{"role":"user","content":)");
  body.append(marked ? std::string_view(content) : line.prompt).append("}]");
  return {};
}

/// One mark stands for all that comes before it, the system message included; so a prompt that has
/// its own needs none there. False: this prompt does not begin with what is shared.
bool RequestBuilder::append_marked_prompt(const LineFields& line, std::string& body) const {
  if (line.form != LineForm::record || shared_prompt_.empty()) return false;
  const auto inner = line.prompt.substr(1, line.prompt.size() - 2);
  if (!inner.starts_with(shared_prompt_)) return false;
  const auto rest = inner.substr(shared_prompt_.size());
  // A block of white space alone is refused.
  if (is_blank_text(shared_prompt_) || is_blank_text(rest)) return false;
  body.append(R"([{"type":"text","text":")").append(shared_prompt_).append("\"");
  body.append(kCacheMark).append(R"(},{"type":"text","text":")").append(rest).append(R"("}])");
  return true;
}

Status RequestBuilder::append_gemini(const LineFields& line, std::string& body) const {
  std::string own_system;
  std::string_view rest;
  const bool listed = line.form == LineForm::messages;
  const auto native = field_value(line, "contents");
  if (listed) {
    if (auto status = hoist_system(line.messages, own_system, rest); !status) return status;
    if (rest.empty()) return failure("messages: no user message");
  } else if (line.prompt.empty() && native.empty()) {
    return failure("neither messages nor prompt is given");
  }
  auto native_system = field_value(line, "systemInstruction");
  if (native_system.empty()) native_system = field_value(line, "system_instruction");
  std::string_view system = line.system;
  if (system.empty()) system = own_system;
  if (system.empty() && native_system.empty()) system = system_;
  if (!system.empty()) {
    body += R"("systemInstruction":{"parts":[)";
    if (auto status = append_gemini_parts(body, system); !status) return status;
    body += "]},";
  } else if (!native_system.empty()) {
    body.append(R"("systemInstruction":)").append(native_system).append(",");
  }
  if (listed) {
    body += R"("contents":[)";
    if (auto status = append_gemini_contents(body, rest); !status) return status;
    body += ']';
  } else if (!line.prompt.empty()) {
    body.append(R"("contents":[{"role":"user","parts":[{"text":)").append(line.prompt);
    body += "}]}]";
  } else {
    body.append(R"("contents":)").append(native);
  }
  return {};
}

Status RequestBuilder::set_batch_url(const LineFields& line, Request& request) const {
  auto path = line.url;
  for (const std::string_view version : {"/v1beta/", "/v1/"}) {
    if (path.starts_with(version)) path.remove_prefix(version.size() - 1);
  }
  name_model({}, request.model);
  if (format_ != WireFormat::gemini_generate) {
    const auto expected = endpoint_path(format_, {});
    if (!path.empty() && path != expected) return foreign_url(line.url, format_, "/v1" + expected);
    request.url = url_;
    return {};
  }
  constexpr std::string_view kMethod = ":generateContent";
  if (path.empty()) {
    if (url_.empty()) return failure("model: none given, neither in the url nor for the job");
    request.url = url_;
    return {};
  }
  const bool known = (path.starts_with("/models/") || path.starts_with("/tunedModels/")) &&
                     path.ends_with(kMethod);
  if (!known) return foreign_url(line.url, format_, "/v1beta/models/MODEL:generateContent");
  path.remove_prefix(1);
  path.remove_suffix(kMethod.size());
  set_url(request.url, endpoint_path(format_, path));
  if (path.starts_with(kGeminiModels)) path.remove_prefix(kGeminiModels.size());
  request.model.assign(path);
  return {};
}

Status RequestBuilder::build_batch_line(const LineFields& line, Request& request) const {
  if (auto status = set_batch_url(line, request); !status) return status;
  std::string_view model;
  RawObject members(line.body);
  while (members.next()) {
    const auto name = members.key();
    if (name == "model") model = members.value();
    if (name == "stream") {
      if (auto status = check_stream(members.value()); !status) {
        return failure("body." + status.error().message);
      }
    }
    request.output_cap = std::max(request.output_cap, cap_in_body(name, members.value()));
  }
  if (!members.ok()) return failure("body: not a JSON object");
  const bool needs_model = format_ != WireFormat::gemini_generate && !model_in_url_;
  if (needs_model && !model.empty()) name_model(model, request.model);
  if (!model.empty() || !needs_model) {
    request.body.assign(line.body);
    return {};
  }
  if (model_.empty()) return failure("body.model: none given, neither here nor for the job");
  const auto inner = inner_json(line.body);
  request.body.assign(R"({"model":)").append(model_);
  if (!inner.empty()) request.body.append(",").append(inner);
  request.body += '}';
  return {};
}

bool RequestBuilder::same_model(std::string_view raw_model) const {
  if (raw_model == model_) return true;
  // Two spellings of one name are told apart only by their escapes, which are rare.
  if (raw_model.find('\\') == std::string_view::npos) return false;
  return decode_json_string(raw_model) == decode_json_string(model_);
}

bool RequestBuilder::has_own_model(const LineFields& line) const {
  if (line.form != LineForm::batch_line) {
    const auto model = field_value(line, "model");
    return !model.empty() && !same_model(model);
  }
  if (format_ == WireFormat::gemini_generate) {
    Request request;
    return set_batch_url(line, request).has_value() && request.url != url_;
  }
  if (model_in_url_) return false;
  const auto model = raw_member(line.body, "model");
  return !model.empty() && !same_model(model);
}

Hash128 RequestBuilder::hash(const Request& request) const {
  std::string_view path = request.url;
  if (path.starts_with(base_)) path.remove_prefix(base_.size());
  if (!query_.empty() && path.ends_with(query_)) path.remove_suffix(query_.size());
  // The body is hashed in place; what stands before it enters through the seed.
  return hash128(request.body, hash64(path, hash64(identity_)));
}

}  // namespace llmbatch
