#include "llmbatch/report/json_text.h"

#include <nlohmann/json.hpp>

namespace llmbatch {

std::optional<std::string> compact_json(std::string_view text) {
  // The parser skips a byte order mark, which would end up inside of a document.
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (!nlohmann::json::accept(text.begin(), text.end())) return std::nullopt;
  std::string out;
  out.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!in_string && (c == ' ' || c == '\n' || c == '\r' || c == '\t')) continue;
    out += c;
    if (c == '"') {
      in_string = !in_string;
    } else if (in_string && c == '\\') {
      out += text[++i];
    }
  }
  return out;
}

}  // namespace llmbatch
