// Streams over the stored line map. They read one packed row at a time and hold no statement open
// between calls, so that a run may read them for hours without keeping the write-ahead log from
// being reset. Thread rule: that of the connection, which must outlive them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connection.h"
#include "llmbatch/port/line_plan.h"
#include "packed_records.h"

namespace llmbatch {

/// The runs as they were scanned; the first is cut at `from_line`. `table` is line_map or
/// line_repeats.
class StoredLineMap final : public LineRunStream {
 public:
  StoredLineMap(Connection& connection, std::uint64_t from_line,
                std::string_view table = "line_map")
      : connection_(&connection), from_line_(from_line), table_(table) {}
  Result<bool> next(LineRun& run) override;
  Status rewind() override;

 private:
  Result<bool> load_row();

  Connection* connection_;
  std::uint64_t from_line_;
  std::string table_;
  std::optional<std::uint64_t> row_first_line_;
  std::string row_;
  LineRunUnpacker unpacker_;
};

/// The same with todo lines told apart by what their rows say now: todo (no row), todo_again (a row
/// that is not final) and done.
class RemainingPlan final : public LineRunStream {
 public:
  RemainingPlan(Connection& connection, std::uint64_t from_line)
      : connection_(&connection), map_(connection, from_line) {}
  Result<bool> next(LineRun& run) override;
  Status rewind() override;

 private:
  struct Row {
    std::uint64_t seq = 0;
    bool final = false;
  };
  Status load_rows();
  void cut_piece(LineRun& piece);

  Connection* connection_;
  StoredLineMap map_;
  Statement select_;
  bool prepared_ = false;
  LineRun current_;        ///< what is left of a todo run
  std::vector<Row> rows_;  ///< of `current_`, from its first seq on
  std::size_t row_index_ = 0;
  bool rows_complete_ = false;  ///< nothing of `current_` comes after rows_
};

/// Seqs and lines of adjoining runs joined, whatever their kind: what export reads in one go.
class SeqRangeStream {
 public:
  explicit SeqRangeStream(LineRunStream& runs) : runs_(&runs) {}
  /// Fills `range` with a run of items or of invalid lines; false at the end.
  Result<bool> next(LineRun& range);

 private:
  LineRunStream* runs_;
  std::optional<LineRun> ahead_;
};

}  // namespace llmbatch
