#include "llmbatch/report/html_text.h"

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

std::string without_carriage_returns(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool ends_line = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (!ends_line) out += text[i];
  }
  return out;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : sanitize_for_terminal(without_carriage_returns(text), "\n\t")) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string escape_excerpt(std::string_view text, std::size_t max_chars) {
  return escape_html(truncate_chars(text, max_chars));
}

}  // namespace llmbatch
