#include "llmbatch/ui/text_layout.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kTab = "    ";
constexpr int kIndent = 2;

std::size_t character_length(std::string_view text, std::size_t start) {
  std::size_t end = start + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
  return end - start;
}

/// Breaks one line of the text.
void wrap_line(std::string_view line, int columns, std::vector<std::string>& lines) {
  std::size_t start = 0;
  std::size_t space = std::string_view::npos;  // the last one since `start`
  int used = 0;
  for (std::size_t at = start; at < line.size();) {
    const std::size_t length = character_length(line, at);
    const int width = display_width(line.substr(at, length));
    if (used + width > columns && at > start) {
      const bool at_space = line[at] == ' ';
      const bool has_space = space != std::string_view::npos && space > start;
      const std::size_t end = at_space ? at : has_space ? space : at;
      lines.emplace_back(line.substr(start, end - start));
      start = end + (at_space || has_space ? 1 : 0);
      at = start;
      used = 0;
      space = std::string_view::npos;
      continue;
    }
    if (line[at] == ' ') space = at;
    used += width;
    at += length;
  }
  lines.emplace_back(line.substr(std::min(start, line.size())));
}

std::string dump(const ordered_json& value, int indent) {
  return value.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

std::string text_of(const ordered_json& value) {
  return value.is_string() ? value.get<std::string>() : dump(value, -1);
}

/// The text of a message: a string, or the text parts of a list.
std::string content_of(const ordered_json& message) {
  const auto content = message.find("content");
  if (content == message.end()) return dump(message, -1);
  if (!content->is_array()) return text_of(*content);
  std::string text;
  for (const ordered_json& part : *content) {
    if (!text.empty()) text += '\n';
    const bool plain = part.is_object() && part.contains("text") && part["text"].is_string();
    text += plain ? part["text"].get<std::string>() : dump(part, -1);
  }
  return text;
}

void append_messages(std::string& out, const ordered_json& messages) {
  for (const ordered_json& message : messages) {
    const bool plain = message.is_object() && message.contains("role");
    out += plain ? text_of(message["role"]) + ": " + content_of(message) : text_of(message);
    out += '\n';
  }
}

void append_fields(std::string& out, const ordered_json& object) {
  for (const auto& [name, value] : object.items()) {
    if (name == "messages" && value.is_array()) {
      append_messages(out, value);
    } else if (name == "body" && value.is_object()) {
      append_fields(out, value);
    } else {
      out += name + ": " + text_of(value) + "\n";
    }
  }
}

}  // namespace

std::vector<std::string> wrap_text(std::string_view text, int columns) {
  std::string plain;
  for (const char c : sanitize_for_terminal(text, "\n\t")) {
    if (c == '\t') {
      plain += kTab;
    } else {
      plain += c;
    }
  }
  std::vector<std::string> lines;
  std::string_view rest = plain;
  while (rest.ends_with('\n')) rest.remove_suffix(1);
  for (;;) {
    const std::size_t end = rest.find('\n');
    wrap_line(rest.substr(0, end), std::max(columns, 2), lines);
    if (end == std::string_view::npos) return lines;
    rest.remove_prefix(end + 1);
  }
}

std::string pretty_json_or_text(std::string_view text) {
  const auto value = ordered_json::parse(text, nullptr, false);
  if (!value.is_structured()) return std::string(text);
  return dump(value, kIndent);
}

std::string readable_input(std::string_view line) {
  const auto value = ordered_json::parse(line, nullptr, false);
  if (!value.is_object() || value.empty()) return std::string(line);
  std::string text;
  append_fields(text, value);
  return text;
}

}  // namespace llmbatch
