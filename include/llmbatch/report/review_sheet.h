// Review sheets: the sample of a review as CSV or JSONL, to be filled in elsewhere and read back.
// Columns: id, state, input, output, verdict, note, attempt. Thread rule: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/result.h"
#include "llmbatch/model/item.h"
#include "llmbatch/model/verdict.h"

namespace llmbatch {

enum class SheetFormat : std::uint8_t { csv, jsonl };

/// By the end of the name: .csv, .jsonl, .ndjson, .json.
std::optional<SheetFormat> sheet_format_of(std::string_view path);

struct SheetRow {
  std::string id;
  ItemState state = ItemState::pending;
  std::optional<std::string> input;
  std::optional<std::string> output;
  bool output_is_json = false;
  std::optional<Verdict> verdict;
  std::string note;
  std::int64_t attempt_id = 0;  ///< tells a sheet about an older answer from one about this
};

/// Empty for JSONL.
std::string sheet_header(SheetFormat format);
/// `guard_formulas`: see CsvOptions.
void append_sheet_row(std::string& out, const SheetRow& row, SheetFormat format,
                      bool guard_formulas);

/// A row of a sheet that was filled in.
struct SheetVerdict {
  std::uint64_t line = 0;  ///< of the file
  std::string id;
  std::optional<Verdict> verdict;  ///< absent: the cell is empty
  std::string note;
  std::optional<std::int64_t> attempt_id;
};

/// Reads a sheet: the columns id and verdict have to be there, note and attempt may be, any others
/// are passed over. CSV: separated by commas, semicolons or tabs, as spreadsheets write it. Fails
/// with ErrorKind::usage and every fault (at most ten), each as `FILE:LINE: what`.
Result<std::vector<SheetVerdict>> parse_review_sheet(std::string_view text, SheetFormat format,
                                                     const std::string& file);

/// Joins what is wrong with a sheet, at most ten lines of it.
tl::unexpected<Error> sheet_error(const std::vector<std::string>& faults);

}  // namespace llmbatch
