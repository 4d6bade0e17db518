// The two results of a scan that may be long, kept in spill files: line runs and invalid lines.
// Thread rule: one thread.
#pragma once

#include <memory>
#include <optional>

#include "llmbatch/port/line_plan.h"
#include "spill_file.h"

namespace llmbatch {

/// Appends lines one by one and stores them as runs.
class LineRunWriter {
 public:
  explicit LineRunWriter(SpillFile& file) : file_(file) {}
  Status add(std::uint64_t line, LineKind kind, std::uint64_t seq);
  Status finish();

 private:
  SpillFile& file_;
  LineRun run_;
};

std::unique_ptr<LineRunStream> make_line_run_stream(std::shared_ptr<const SpillFile> file);

/// The bytes of one invalid line, for a SpillFile.
void append_invalid_line(std::string& out, const InvalidLine& line);

class InvalidLineReader final : public InvalidLineStream {
 public:
  explicit InvalidLineReader(std::shared_ptr<const SpillFile> file)
      : file_(std::move(file)), reader_(*file_) {}
  Result<bool> next(InvalidLine& line) override;
  Status rewind() override;

 private:
  Result<bool> read_text(std::string& text, std::size_t size);

  std::shared_ptr<const SpillFile> file_;
  SpillReader reader_;
};

}  // namespace llmbatch
