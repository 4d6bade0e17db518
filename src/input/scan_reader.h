// ScanReader: the first pass of a scan. Reads the input in chunks; every chunk is parsed by one of
// two threads, and the findings are collected in the order of the input.
// Thread rule: run() is called once; it starts and joins the second thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "llmbatch/input/scan.h"
#include "partition_file.h"
#include "scan_records.h"
#include "spill_file.h"

namespace llmbatch {

class ScanReader {
 public:
  ScanReader(const InputFile& input, const Provider& provider, const ScanOptions& options,
             PartitionFile<ScannedLine>& lines, PartitionFile<RequestLine>& requests,
             SpillFile& invalid)
      : input_(input),
        provider_(provider),
        options_(options),
        lines_(lines),
        requests_(requests),
        invalid_(invalid) {}

  /// Returns the number of lines.
  Result<std::uint64_t> run();

 private:
  /// What one thread found in one chunk.
  struct Findings {
    Chunk chunk;
    std::uint64_t ticket = 0;
    std::uint64_t first_line = 0;
    std::vector<ScannedLine> lines;
    std::string invalid;
  };

  void work();
  bool take_chunk(Findings& findings);
  void examine(class LineRequest& request, Request& body, Findings& findings) const;
  bool hand_in(Findings& findings);
  Status collect(const Findings& findings);
  void fail(const Error& error);

  const InputFile& input_;
  const Provider& provider_;
  const ScanOptions& options_;

  std::mutex read_mutex_;
  // Guarded by read_mutex_.
  std::optional<ChunkReader> chunks_;
  std::uint64_t next_ticket_ = 0;
  std::uint64_t next_line_ = 1;

  std::mutex collect_mutex_;
  std::condition_variable turn_changed_;
  // Guarded by collect_mutex_.
  PartitionFile<ScannedLine>& lines_;
  PartitionFile<RequestLine>& requests_;
  SpillFile& invalid_;
  std::uint64_t turn_ = 0;
  std::optional<Error> error_;
};

}  // namespace llmbatch
