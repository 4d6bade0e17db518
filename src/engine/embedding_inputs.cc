#include <algorithm>

#include "batch_filling.h"

namespace llmbatch {

/// Counts the elements of the member `input` at the top level; it is 1 for anything else.
std::int64_t embedding_inputs(std::string_view body) {
  const std::size_t member = body.find("\"input\"");
  if (member == std::string_view::npos) return 1;
  std::size_t at = body.find_first_not_of(" \t\r\n:", member + 7);
  if (at == std::string_view::npos || body[at] != '[') return 1;
  std::int64_t elements = 0;
  int depth = 0;
  bool in_string = false;
  bool expects_element = true;
  bool tokens = false;  // an array of numbers is one input
  for (; at < body.size(); ++at) {
    const char c = body[at];
    if (in_string) {
      if (c == '\\') ++at;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (depth == 1 && expects_element && c != ' ' && c != ']' && c != '\n' && c != '\r') {
      ++elements;
      expects_element = false;
      tokens = tokens || (c >= '0' && c <= '9');
    }
    if (c == '[') ++depth;
    if (c == ']' && --depth == 0) break;
    if (c == ',' && depth == 1) expects_element = true;
  }
  return tokens ? 1 : std::max<std::int64_t>(elements, 1);
}

}  // namespace llmbatch
