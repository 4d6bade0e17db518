#include "llmbatch/report/csv_reader.h"

#include <algorithm>
#include <array>

namespace llmbatch {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

char separator_of(std::string_view text) {
  constexpr std::array kSeparators{',', ';', '\t'};
  std::array<int, kSeparators.size()> counts{};
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\n') break;
    const auto* found = std::find(kSeparators.begin(), kSeparators.end(), c);
    if (found != kSeparators.end()) ++counts[static_cast<std::size_t>(found - kSeparators.begin())];
  }
  const auto* most = std::max_element(counts.begin(), counts.end());
  return kSeparators[static_cast<std::size_t>(most - counts.begin())];
}

}  // namespace

CsvReader::CsvReader(std::string_view text) : rest_(text) {
  if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  separator_ = separator_of(rest_);
}

bool CsvReader::next(std::vector<std::string>& cells) {
  while (!rest_.empty()) {
    row_line_ = next_line_;
    unterminated_ = false;
    cells.clear();
    read_row(cells);
    if (cells.size() > 1 || !cells[0].empty() || unterminated_) return true;
  }
  return false;
}

void CsvReader::read_quoted(std::string& cell) {
  rest_.remove_prefix(1);
  for (;;) {
    const std::size_t quote = rest_.find('"');
    const std::string_view part = rest_.substr(0, quote);
    cell += part;
    next_line_ += static_cast<std::uint64_t>(std::count(part.begin(), part.end(), '\n'));
    if (quote == std::string_view::npos) {
      rest_ = {};
      unterminated_ = true;
      return;
    }
    rest_.remove_prefix(quote + 1);
    if (!rest_.starts_with('"')) return;
    cell += '"';
    rest_.remove_prefix(1);
  }
}

void CsvReader::read_row(std::vector<std::string>& cells) {
  cells.emplace_back();
  while (!rest_.empty()) {
    const char c = rest_.front();
    if (c == '"' && cells.back().empty()) {
      read_quoted(cells.back());
      continue;
    }
    rest_.remove_prefix(1);
    if (c == '\n') {
      ++next_line_;
      break;
    }
    if (c == '\r' && (rest_.empty() || rest_.front() == '\n')) continue;
    if (c == separator_) {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
}

}  // namespace llmbatch
