#include "messages.h"

#include <vector>

#include "llmbatch/base/text.h"
#include "raw_json.h"

namespace llmbatch {
namespace {

bool is_system_role(std::string_view role) {
  return role == R"("system")" || role == R"("developer")";
}

tl::unexpected<Error> bad_message(std::string_view what, std::string_view value) {
  return failure("messages: " + std::string(what) + " (" + truncate_chars(value, 60) + ")");
}

/// `data:image/png;base64,AAAA` without its quotes, split; false for any other URL.
bool split_data_url(std::string_view url, std::string_view& type, std::string_view& data) {
  constexpr std::string_view kPrefix = "data:";
  constexpr std::string_view kMark = ";base64,";
  if (!url.starts_with(kPrefix)) return false;
  const auto mark = url.find(kMark);
  if (mark == std::string_view::npos) return false;
  type = url.substr(kPrefix.size(), mark - kPrefix.size());
  data = url.substr(mark + kMark.size());
  return true;
}

Status append_gemini_part(std::string& out, std::string_view part) {
  if (is_json_string(part)) {
    out.append(R"({"text":)").append(part).append("}");
    return {};
  }
  if (!is_json_object(part)) return bad_message("a content part is no object", part);
  const auto type = raw_member(part, "type");
  if (type.empty()) {  // Gemini's own form
    out += part;
    return {};
  }
  if (const auto text = raw_member(part, "text"); is_json_string(text)) {
    out.append(R"({"text":)").append(text).append("}");
    return {};
  }
  const auto image = raw_member(part, "image_url");
  const auto url = is_json_object(image) ? raw_member(image, "url") : image;
  std::string_view media_type;
  std::string_view data;
  if (is_json_string(url) && split_data_url(inner_json(url), media_type, data)) {
    out.append(R"({"inlineData":{"mimeType":")").append(media_type).append(R"(","data":")");
    out.append(data).append(R"("}})");
    return {};
  }
  return bad_message("this content part cannot be sent to gemini", part);
}

}  // namespace

bool starts_with_system(std::string_view messages) {
  RawArray elements(messages);
  return elements.next() && is_json_object(elements.value()) &&
         is_system_role(raw_member(elements.value(), "role"));
}

Status hoist_system(std::string_view messages, std::string& system, std::string_view& rest) {
  RawArray elements(messages);
  std::vector<std::string_view> contents;
  bool has_parts = false;
  rest = {};
  while (elements.next()) {
    const auto message = elements.value();
    if (!is_json_object(message)) return bad_message("a message is no object", message);
    if (!is_system_role(raw_member(message, "role"))) {
      const auto offset = static_cast<std::size_t>(message.data() - messages.data());
      const auto end = messages.rfind(']');
      if (end == std::string_view::npos || end < offset) return bad_message("cut off", messages);
      rest = messages.substr(offset, end - offset);
      break;
    }
    const auto content = raw_member(message, "content");
    if (!is_json_string(content) && !is_json_array(content)) {
      return bad_message("a system message without text", message);
    }
    has_parts = has_parts || is_json_array(content);
    contents.push_back(content);
  }
  if (!elements.ok()) return bad_message("not a valid array", messages);
  system.clear();
  if (contents.empty()) return {};
  for (const auto content : contents) {
    if (!system.empty()) system += has_parts ? "," : R"(\n\n)";
    if (has_parts && is_json_string(content)) {
      system.append(R"({"type":"text","text":)").append(content).append("}");
    } else {
      system += inner_json(content);
    }
  }
  system.insert(0, has_parts ? "[" : "\"");
  system += has_parts ? ']' : '"';
  return {};
}

Status append_gemini_parts(std::string& out, std::string_view content) {
  if (is_json_string(content)) return append_gemini_part(out, content);
  if (!is_json_array(content)) return bad_message("content is neither text nor parts", content);
  RawArray parts(content);
  bool first = true;
  while (parts.next()) {
    if (!first) out += ',';
    first = false;
    if (auto status = append_gemini_part(out, parts.value()); !status) return status;
  }
  if (first) return bad_message("content is empty", content);
  return {};
}

Status append_gemini_contents(std::string& out, std::string_view elements) {
  const std::string array = "[" + std::string(elements) + "]";
  RawArray messages(array);
  bool first = true;
  while (messages.next()) {
    const auto message = messages.value();
    if (!is_json_object(message)) return bad_message("a message is no object", message);
    if (!first) out += ',';
    first = false;
    if (!raw_member(message, "parts").empty()) {  // already Gemini's own form
      out += message;
      continue;
    }
    const auto role = raw_member(message, "role");
    if (role == R"("user")") {
      out += R"({"role":"user","parts":[)";
    } else if (role == R"("assistant")" || role == R"("model")") {
      out += R"({"role":"model","parts":[)";
    } else {
      return bad_message("this role cannot be sent to gemini", role);
    }
    if (auto status = append_gemini_parts(out, raw_member(message, "content")); !status) {
      return status;
    }
    out += "]}";
  }
  return {};
}

}  // namespace llmbatch
