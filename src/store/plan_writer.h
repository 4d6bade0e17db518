// Writes what a scan found: the line map, the invalid lines, and the items that are taken up again.
// Works within its caller's transaction, with constant memory. Thread rule: that of its connection.
#pragma once

#include <cstdint>

#include "connection.h"
#include "item_log.h"
#include "llmbatch/port/line_plan.h"
#include "packed_records.h"

namespace llmbatch {

Status insert_invalid_line(Statement& insert, const InvalidLine& line);
inline constexpr std::string_view kInsertInvalidLine =
    "insert or replace into invalid_lines (line, offset_bytes, id, message, content)"
    " values (?1, ?2, ?3, ?4, ?5)";

class PlanWriter {
 public:
  PlanWriter(Connection& connection, ItemLogWriter& log) : connection_(&connection), log_(&log) {}

  Status clear();
  Status write_lines(LineRunStream& plan);
  Status write_invalid_lines(InvalidLineStream& lines);
  Status write_repeats(LineRunStream& repeats);
  /// Valid after write_lines(): seqs rose with the lines.
  bool natural_order() const { return natural_; }

 private:
  Status flush();
  Status take_back(std::uint64_t first_seq, std::uint64_t count);
  Status take_back_some(std::uint64_t first_seq, std::uint64_t last_seq);

  Connection* connection_;
  ItemLogWriter* log_;
  Statement insert_;
  Statement reset_;
  std::uint64_t row_first_line_ = 0;
  std::uint32_t row_runs_ = 0;
  LineRunPacker packer_;
  IndexRecordPacker records_;
  std::uint64_t next_seq_ = 0;
  bool natural_ = true;
};

}  // namespace llmbatch
