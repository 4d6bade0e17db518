// The line plan: what a run does with each line of the input, as run-length records in line order.
// Written by the scan, kept in the database for export order and for resuming an unchanged file.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "llmbatch/base/hash.h"
#include "llmbatch/model/item.h"

namespace llmbatch {

/// Numbers are stored in the database: never renumber.
enum class LineKind : std::uint8_t {
  blank = 0,  ///< nothing there
  todo = 1,   ///< to be run; no row in the database yet
  todo_again =
      2,     ///< to be run; a row with this seq exists (changed content, --retry, retry pending)
  done = 3,  ///< final, same request
  duplicate = 4,  ///< an equal line came before
  invalid = 5,    ///< cannot be used; described in the table of invalid lines
};

/// `count` lines from `first_line`, all of `kind`; for todo, todo_again and done their seqs are
/// `first_seq`, `first_seq + 1`, ...
struct LineRun {
  std::uint64_t first_line = 1;
  std::uint64_t count = 0;
  LineKind kind = LineKind::blank;
  std::uint64_t first_seq = 0;
};

/// A line that cannot be used, with the reason.
struct InvalidLine {
  std::uint64_t line = 0;
  std::uint64_t offset_bytes = 0;
  std::string id;       ///< empty: none was usable
  std::string message;  ///< without file name and line number
  std::string content;  ///< the line, at most 64 KiB of it
};

/// Identity of the input file at the time of a scan: equal means unchanged.
struct InputIdentity {
  std::string path;  ///< absolute; `-` for stdin
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size_bytes = 0;
  std::int64_t mtime_nanos = 0;
  std::int64_t ctime_nanos = 0;
  Hash128 ends;  ///< hash of the first and the last 64 KiB
  friend bool operator==(const InputIdentity&, const InputIdentity&) = default;
};

/// What the store knows of an item, as far as a scan needs it.
struct IndexRecord {
  Hash128 id_hash;
  Hash128 request_hash;
  std::uint64_t seq = 0;
  ItemState state = ItemState::pending;
};

struct ScanCounts {
  std::uint64_t lines = 0;
  std::uint64_t blank = 0;
  std::uint64_t todo = 0;     ///< todo and todo_again
  std::uint64_t changed = 0;  ///< of these: known id, other content
  std::uint64_t duplicates = 0;
  std::uint64_t invalid = 0;
  std::uint64_t repeats = 0;  ///< of todo: the same request is answered or to be answered before
  /// Lines whose item is final already, by state.
  std::array<std::uint64_t, kItemStateCount> done_by_state{};
};

}  // namespace llmbatch
