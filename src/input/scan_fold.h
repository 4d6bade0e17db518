// ScanFold: the third pass of a scan. Brings the decisions back into line order, numbers the new
// items and counts; then looks up the text of the lines that contradict each other.
// Thread rule: one thread.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "llmbatch/input/scan.h"
#include "plan_files.h"
#include "scan_join.h"
#include "scan_records.h"
#include "scan_repeats.h"

namespace llmbatch {

class ScanFold {
 public:
  ScanFold(const InputFile& input, const ScanOptions& options, std::uint64_t next_seq);

  /// `invalid`: what the first pass found. The decisions come from one or two joins.
  Result<ScanResult> fold(std::uint64_t lines, const SliceLayout& layout,
                          const std::vector<std::unique_ptr<ScanJoin>>& joins,
                          const ScanRepeats& repeats, std::shared_ptr<SpillFile> invalid);

 private:
  Status fold_slice(std::uint64_t first_line, std::uint64_t count, const std::uint64_t* decisions);
  Status fold_line(std::uint64_t line, std::uint64_t decision);
  Result<std::shared_ptr<SpillFile>> with_conflicts(std::shared_ptr<SpillFile> invalid);
  Result<InvalidLine> describe(LineReader& reader, LineParser& parser, const Conflict& conflict);

  const InputFile& input_;
  const ScanOptions& options_;
  std::uint64_t next_seq_;
  ScanCounts counts_;
  std::shared_ptr<SpillFile> runs_;
  SpillFile conflicts_;
  LineRunWriter run_writer_;
  std::optional<RepeatFold> repeats_;  ///< absent: no request stands in the input twice
  std::unique_ptr<InvalidLineReader> invalid_lines_;
  InvalidLine next_invalid_;  ///< line 0: none left
  std::uint64_t lines_read_ = 0;
};

}  // namespace llmbatch
