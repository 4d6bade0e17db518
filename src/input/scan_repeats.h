// ScanRepeats finds the requests of an input that stand on more than one line, and those that the
// database has an answer to; RepeatFold turns both into seqs while the lines are numbered. Both
// with bounded memory. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "llmbatch/base/result.h"
#include "llmbatch/input/page_buffer.h"
#include "llmbatch/port/item_index.h"
#include "llmbatch/port/line_plan.h"
#include "partition_file.h"
#include "plan_files.h"
#include "scan_join.h"
#include "scan_records.h"

namespace llmbatch {

class ScanRepeats {
 public:
  ScanRepeats(const SliceLayout& layout, const std::string& directory)
      : layout_(layout),
        directory_(directory),
        repeats_(directory, layout.slices),
        donors_(directory, layout.slices) {}

  /// Links each line of the partition to the next one with the same request. The records have to
  /// be in line order.
  Status find_repeats(const PartitionFile<RequestLine>& requests, std::size_t partition);
  /// Finds for each of the `wanted` lines an item that was once answered with the same request.
  /// Whether that answer still stands is not known here.
  Status find_donors(const std::vector<const PartitionFile<RequestLine>*>& wanted,
                     const ItemIndex& index);

  bool any() const { return any_; }
  const PartitionFile<Repeat>& repeats() const { return repeats_; }
  const PartitionFile<Donor>& donors() const { return donors_; }

 private:
  /// The last line (or the last item) of a request; the request is known when number is not 0.
  struct Entry {
    std::uint64_t request = 0;
    std::uint64_t number = 0;
  };

  Status link_part(const PartitionFile<RequestLine>& requests, std::size_t partition, unsigned bits,
                   std::uint64_t part);
  Status give_part(const std::vector<const PartitionFile<RequestLine>*>& wanted,
                   const PartitionFile<RequestLine>& answered, std::size_t partition, unsigned bits,
                   std::uint64_t part);
  void prepare(std::uint64_t records);
  Entry* find(std::uint64_t request);
  std::size_t slice_of(std::uint64_t line) const {
    return static_cast<std::size_t>((line - 1) / layout_.slice_lines);
  }

  SliceLayout layout_;
  std::string directory_;
  PartitionFile<Repeat> repeats_;  ///< by the slice of `line`
  PartitionFile<Donor> donors_;    ///< by the slice of `line`
  PageBuffer table_;
  std::size_t mask_ = 0;
  std::size_t entries_ = 0;
  bool any_ = false;
};

class RepeatFold {
 public:
  RepeatFold(const ScanRepeats& found, const SliceLayout& layout, const std::string& directory);

  /// Slices in their order; then every line of it that holds a request.
  Status begin_slice(std::size_t slice);
  /// `succeeded`: the line is done and its item has an answer.
  Status add(std::uint64_t line, LineKind kind, std::uint64_t seq, bool succeeded);
  Result<std::unique_ptr<LineRunStream>> finish();
  std::uint64_t count() const { return count_; }

 private:
  const ScanRepeats& found_;
  SliceLayout layout_;
  PartitionFile<Donor> passed_on_;  ///< to lines of later slices
  PageBuffer next_memory_;
  PageBuffer giver_memory_;
  std::uint64_t* next_lines_;  ///< of each line of the slice, 0: none
  std::uint64_t* givers_;      ///< the seq that has its request, 0: none
  std::uint64_t first_line_ = 1;
  std::shared_ptr<SpillFile> file_;
  LineRunWriter writer_;
  std::uint64_t count_ = 0;
};

}  // namespace llmbatch
