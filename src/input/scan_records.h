// The fixed-size records a scan sorts, and how they are divided. Plain data.
#pragma once

#include <cstdint>

#include "llmbatch/base/hash.h"
#include "llmbatch/model/line_plan.h"

namespace llmbatch {

/// With 512 partitions five million lines still fit in memory partition by partition.
inline constexpr unsigned kScanPartitionBits = 8;
inline constexpr std::size_t kScanPartitions = std::size_t{1} << kScanPartitionBits;

inline std::size_t scan_partition(const Hash128& id_hash) {
  return static_cast<std::size_t>(id_hash.high >> (64U - kScanPartitionBits));
}

struct ScannedLine {
  Hash128 id_hash;
  Hash128 request_hash;
  std::uint64_t line = 0;
};

/// One request of the input, in line order. The upper half of its hash chose the partition; that
/// half the hash is not compared does no harm, see Item::same_as.
struct RequestLine {
  std::uint64_t request = 0;  ///< lower half of the hash
  std::uint64_t line = 0;
};

/// A request that stands on two lines, with none of it in between.
struct Repeat {
  std::uint64_t line = 0;
  std::uint64_t next_line = 0;
};

/// A line whose request was answered before, as item `seq`.
struct Donor {
  std::uint64_t line = 0;
  std::uint64_t seq = 0;
};

inline std::size_t request_partition(const Hash128& request_hash) {
  return static_cast<std::size_t>(request_hash.high >> (64U - kScanPartitionBits));
}

struct StoredItem {
  Hash128 id_hash;
  Hash128 request_hash;
  std::uint64_t seq_and_state = 0;  ///< seq << 3 | state
};

/// What is to be done with one line, in 64 bits: kind in bits 0-2, state in bits 3-5, `changed` in
/// bit 6, seq above; for kind `invalid` the other line of the id in the place of the seq. 0 is
/// blank.
struct Decision {
  std::uint64_t line = 0;
  std::uint64_t value = 0;

  static std::uint64_t pack(LineKind kind, std::uint64_t number, ItemState state, bool changed) {
    return static_cast<std::uint64_t>(kind) | static_cast<std::uint64_t>(state) << 3U |
           static_cast<std::uint64_t>(changed) << 6U | number << 7U;
  }
  static LineKind kind(std::uint64_t value) { return static_cast<LineKind>(value & 7U); }
  static ItemState state(std::uint64_t value) { return static_cast<ItemState>(value >> 3U & 7U); }
  static bool changed(std::uint64_t value) { return (value >> 6U & 1U) != 0; }
  static std::uint64_t number(std::uint64_t value) { return value >> 7U; }
};

/// A line whose id stands on another line with other content.
struct Conflict {
  std::uint64_t line = 0;
  std::uint64_t other_line = 0;
};

}  // namespace llmbatch
