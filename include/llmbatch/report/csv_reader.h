// CsvReader: rows of cells from CSV text (RFC 4180: quoted cells may hold separators, quotes and
// line ends), as spreadsheets write it. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llmbatch {

class CsvReader {
 public:
  /// A byte order mark is passed over. The separator is that of the first row: comma, semicolon or
  /// tab, whichever stands there most often outside of quotes.
  explicit CsvReader(std::string_view text);

  /// False at the end. Blank lines are passed over.
  bool next(std::vector<std::string>& cells);
  /// Line of the file on which the row begins that was read last, from 1.
  std::uint64_t line() const { return row_line_; }
  /// A quote was opened and never closed, in the row that was read last.
  bool unterminated() const { return unterminated_; }

 private:
  void read_quoted(std::string& cell);
  void read_row(std::vector<std::string>& cells);

  std::string_view rest_;
  char separator_ = ',';
  std::uint64_t next_line_ = 1;
  std::uint64_t row_line_ = 0;
  bool unterminated_ = false;
};

}  // namespace llmbatch
