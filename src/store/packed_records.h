// The packed forms of line_map and item_log: documented bytes, independent of the machine.
// Numbers are LEB128 (7 bits a byte, low first); signed differences are zigzag encoded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "llmbatch/base/result.h"
#include "llmbatch/model/line_plan.h"

namespace llmbatch {

/// True for the kinds that have seqs.
bool has_seq(LineKind kind);

/// item_log: per record the seq's difference to the record before it (zigzag; the first to 0), one
/// byte of state, 16 bytes of id hash, 16 bytes of request hash.
class IndexRecordPacker {
 public:
  void add(const IndexRecord& record);
  const std::string& bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  void clear();

 private:
  std::string bytes_;
  std::uint64_t last_seq_ = 0;
};

/// Reads what IndexRecordPacker wrote; false at the end or at damaged bytes (see damaged()).
class IndexRecordUnpacker {
 public:
  explicit IndexRecordUnpacker(std::string_view bytes) : rest_(bytes) {}
  bool next(IndexRecord& record);
  bool damaged() const { return damaged_; }

 private:
  std::string_view rest_;
  std::uint64_t last_seq_ = 0;
  bool damaged_ = false;
};

/// line_map: per run the lines between the end of the run before it and its first line (mostly 0),
/// its count, its kind, and for kinds with seqs the first seq's difference to the seq after those
/// of the run before it (zigzag). Positions start at the row's first_line and at seq 0.
class LineRunPacker {
 public:
  explicit LineRunPacker(std::uint64_t first_line = 1) : next_line_(first_line) {}
  void add(const LineRun& run);
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::uint64_t next_line_;
  std::uint64_t next_seq_ = 0;
};

class LineRunUnpacker {
 public:
  LineRunUnpacker() = default;
  LineRunUnpacker(std::uint64_t first_line, std::string_view bytes)
      : rest_(bytes), next_line_(first_line) {}
  bool next(LineRun& run);
  bool damaged() const { return damaged_; }

 private:
  std::string_view rest_;
  std::uint64_t next_line_ = 1;
  std::uint64_t next_seq_ = 0;
  bool damaged_ = false;
};

}  // namespace llmbatch
