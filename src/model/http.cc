#include "llmbatch/model/http.h"

#include "llmbatch/base/text.h"

namespace llmbatch {

std::string_view find_header(std::string_view headers, std::string_view name) {
  while (!headers.empty()) {
    const std::size_t line_end = headers.find('\n');
    const std::string_view line = headers.substr(0, line_end);
    headers.remove_prefix(line_end == std::string_view::npos ? headers.size() : line_end + 1);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (equals_ignore_case(line.substr(0, colon), name)) return trim(line.substr(colon + 1));
  }
  return {};
}

}  // namespace llmbatch
