// ScanJoin: the second pass of a scan. Partition by partition it brings together the lines of one
// id and what the database has of it, and decides about each line. Thread rule: one thread each;
// several may work on different partitions of the same files.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "llmbatch/input/page_buffer.h"
#include "partition_file.h"
#include "scan_records.h"

namespace llmbatch {

/// How many lines are brought back into order at a time, and in how many slices.
struct SliceLayout {
  explicit SliceLayout(std::uint64_t lines);
  std::uint64_t slice_lines = 0;
  std::size_t slices = 0;
};

class ScanJoin {
 public:
  ScanJoin(const PartitionFile<ScannedLine>& lines, const PartitionFile<StoredItem>* stored,
           const std::array<bool, kItemStateCount>& retry, const SliceLayout& layout,
           const std::string& directory)
      : lines_(lines),
        stored_(stored),
        retry_(retry),
        layout_(layout),
        decisions_(directory, layout.slices),
        wanted_(directory, stored != nullptr ? kScanPartitions : 0) {}

  Status join(std::size_t partition) { return join_part(partition, 0, 0); }

  const PartitionFile<Decision>& decisions() const { return decisions_; }
  /// Requests that are to be sent although the database knows items, by request hash.
  const PartitionFile<RequestLine>& wanted() const { return wanted_; }

 private:
  static constexpr std::uint64_t kUnknown = ~std::uint64_t{0};

  /// One id of the input.
  struct Entry {
    Hash128 id_hash;
    Hash128 request_hash;  ///< of first_line
    std::uint64_t first_line = 0;
    std::uint64_t other_line = 0;     ///< the first with another request, 0: none
    std::uint64_t stored = kUnknown;  ///< StoredItem::seq_and_state << 1 | same request
  };

  Status join_part(std::size_t partition, unsigned bits, std::uint64_t part);
  void prepare(std::uint64_t records);
  Entry* find(const Hash128& id_hash);
  bool add_line(const ScannedLine& line);
  void add_stored(const StoredItem& item);
  Status decide_first_lines();
  Status decide_repeated_lines(std::size_t partition, unsigned bits, std::uint64_t part);
  std::uint64_t decision_for(const Entry& entry) const;
  Status emit(std::uint64_t line, std::uint64_t value);

  const PartitionFile<ScannedLine>& lines_;
  const PartitionFile<StoredItem>* stored_;
  std::array<bool, kItemStateCount> retry_;
  SliceLayout layout_;
  PartitionFile<Decision> decisions_;
  PartitionFile<RequestLine> wanted_;
  PageBuffer entry_memory_;
  PageBuffer slot_memory_;
  std::size_t entry_count_ = 0;
  std::size_t slot_mask_ = 0;
  bool any_repeated_ = false;
};

}  // namespace llmbatch
