// Translates single request fields from OpenAI's style into that of the other wire formats.
#include "llmbatch/base/text.h"
#include "raw_json.h"
#include "request_fields.h"

namespace llmbatch {
namespace {

void append_name(std::string& out, std::string_view name) {
  out.append(",\"").append(name).append("\":");
}

tl::unexpected<Error> wrong(std::string_view field, std::string_view value, std::string_view why) {
  return failure(std::string(field) + ": " + std::string(why) + " (" + truncate_chars(value, 60) +
                 ")");
}

/// The `type` of a response_format, with its quotes.
std::string_view format_type(std::string_view value) {
  return is_json_object(value) ? raw_member(value, "type") : std::string_view{};
}

Status append_responses_format(std::string& out, const FieldRule& rule, std::string_view value) {
  append_name(out, rule.to);
  const auto wrapped =
      is_json_object(value) ? raw_member(value, "json_schema") : std::string_view{};
  if (!is_json_object(wrapped)) {
    out += value;
    return {};
  }
  out += R"({"type":"json_schema")";
  if (const auto inner = inner_json(wrapped); !inner.empty()) out.append(",").append(inner);
  out += '}';
  return {};
}

Status append_anthropic_format(std::string& out, const FieldRule& rule, std::string_view value) {
  const auto type = format_type(value);
  if (type == R"("text")") return {};
  const auto wrapped = raw_member(value, "json_schema");
  auto schema = is_json_object(wrapped) ? raw_member(wrapped, "schema") : std::string_view{};
  // Anthropic's own form has the schema right here.
  if (schema.empty() && is_json_object(value)) schema = raw_member(value, "schema");
  if (type != R"("json_schema")" || !is_json_object(schema)) {
    return wrong(rule.from, value, "this wire format knows only json_schema with a schema");
  }
  append_name(out, rule.to);
  out.append(R"({"type":"json_schema","schema":)").append(schema).append("}");
  return {};
}

Status append_gemini_format(std::string& out, const FieldRule& rule, std::string_view value) {
  const auto type = format_type(value);
  if (type == R"("text")") return {};
  if (type != R"("json_schema")" && type != R"("json_object")") {
    return wrong(rule.from, value, "expected type json_schema, json_object or text");
  }
  out += R"(,"responseMimeType":"application/json")";
  const auto wrapped = raw_member(value, "json_schema");
  const auto schema = is_json_object(wrapped) ? raw_member(wrapped, "schema") : std::string_view{};
  if (!schema.empty()) out.append(R"(,"responseJsonSchema":)").append(schema);
  return {};
}

/// Appends one tool; `function` is the value of its `function` member, empty in a native tool.
using AppendTool = void (*)(std::string& out, std::string_view function);

void append_responses_tool(std::string& out, std::string_view function) {
  out += R"({"type":"function")";
  if (const auto inner = inner_json(function); !inner.empty()) out.append(",").append(inner);
  out += '}';
}

void append_renamed_tool(std::string& out, std::string_view function,
                         std::string_view schema_name) {
  out.append(R"({"name":)").append(raw_member(function, "name"));
  if (const auto text = raw_member(function, "description"); !text.empty()) {
    out.append(R"(,"description":)").append(text);
  }
  const auto schema = raw_member(function, "parameters");
  append_name(out, schema_name);
  out += schema.empty() ? R"({"type":"object"})" : schema;
  out += '}';
}

void append_anthropic_tool(std::string& out, std::string_view function) {
  append_renamed_tool(out, function, "input_schema");
}

void append_gemini_tool(std::string& out, std::string_view function) {
  append_renamed_tool(out, function, "parametersJsonSchema");
}

Status append_tools(std::string& out, const FieldRule& rule, std::string_view value,
                    AppendTool append_tool) {
  if (!is_json_array(value)) return wrong(rule.from, value, "not an array");
  append_name(out, rule.to);
  const bool gemini = append_tool == append_gemini_tool;
  std::string functions;
  std::string native;
  RawArray tools(value);
  while (tools.next()) {
    const auto function =
        is_json_object(tools.value()) ? raw_member(tools.value(), "function") : std::string_view{};
    const bool translated =
        is_json_object(function) && is_json_string(raw_member(function, "name"));
    // The order of the tools is kept, except that Gemini has all functions in one declaration.
    std::string& target = translated || !gemini ? functions : native;
    if (!target.empty()) target += ',';
    if (translated) append_tool(target, function);
    if (!translated) target += tools.value();
  }
  out += '[';
  if (gemini && !functions.empty()) {
    out.append(R"({"functionDeclarations":[)").append(functions).append("]}");
    if (!native.empty()) out += ',';
  } else {
    out += functions;
  }
  out.append(native).append("]");
  return {};
}

Status append_anthropic_tool_choice(std::string& out, const FieldRule& rule,
                                    std::string_view value) {
  append_name(out, rule.to);
  if (value == R"("auto")" || value == R"("none")") {
    out.append(R"({"type":)").append(value).append("}");
    return {};
  }
  if (value == R"("required")") {
    out += R"({"type":"any"})";
    return {};
  }
  const auto function = is_json_object(value) ? raw_member(value, "function") : std::string_view{};
  if (!is_json_object(function)) {
    out += value;
    return {};
  }
  const auto name = raw_member(function, "name");
  if (!is_json_string(name)) return wrong(rule.from, value, "names no function");
  out.append(R"({"type":"tool","name":)").append(name).append("}");
  return {};
}

Status append_cap(std::string& out, const FieldRule& rule, std::string_view value) {
  const auto cap = raw_integer(value);
  if (!cap || *cap < 1) return wrong(rule.from, value, "not a positive whole number");
  append_name(out, rule.to);
  out += value;
  return {};
}

void append_wrapped(std::string& out, std::string_view name, std::string_view inner_name,
                    std::string_view value) {
  append_name(out, name);
  out.append("{\"").append(inner_name).append("\":").append(value).append("}");
}

}  // namespace

Status append_field(std::string& out, const FieldRule& rule, std::string_view value) {
  switch (rule.shape) {
    case FieldShape::raw:
      append_name(out, rule.to);
      out += value;
      return {};
    case FieldShape::output_cap:
      return append_cap(out, rule, value);
    case FieldShape::list:
      append_name(out, rule.to);
      if (is_json_array(value)) {
        out += value;
      } else {
        out.append("[").append(value).append("]");
      }
      return {};
    case FieldShape::responses_effort:
      append_wrapped(out, rule.to, "effort", value);
      return {};
    case FieldShape::gemini_effort:
      append_wrapped(out, rule.to, "thinkingLevel", value);
      return {};
    case FieldShape::responses_format:
      return append_responses_format(out, rule, value);
    case FieldShape::anthropic_format:
      return append_anthropic_format(out, rule, value);
    case FieldShape::gemini_format:
      return append_gemini_format(out, rule, value);
    case FieldShape::responses_tools:
      return append_tools(out, rule, value, append_responses_tool);
    case FieldShape::anthropic_tools:
      return append_tools(out, rule, value, append_anthropic_tool);
    case FieldShape::gemini_tools:
      return append_tools(out, rule, value, append_gemini_tool);
    case FieldShape::anthropic_tool_choice:
      return append_anthropic_tool_choice(out, rule, value);
  }
  return {};
}

}  // namespace llmbatch
