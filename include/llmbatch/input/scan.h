// The scan: reads the whole input once before a run and compares it with what the database knows.
// It yields the line plan, the lines that cannot be used, and counts.
//
// Memory does not grow with the input: 40-byte records (id hash, request hash, line) are divided by
// id hash into partitions on disk, joined partition by partition with the records of the database,
// and the decisions brought back into line order in slices. The same is done by request hash, to
// find the requests that stand there more than once. All of it is given back when it ends.
// Thread rule: scan_input may be called from any thread; it uses one thread of its own as well.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "llmbatch/base/result.h"
#include "llmbatch/input/input_file.h"
#include "llmbatch/input/line_parser.h"
#include "llmbatch/model/line_plan.h"
#include "llmbatch/port/item_index.h"
#include "llmbatch/port/line_plan.h"
#include "llmbatch/port/provider.h"

namespace llmbatch {

struct ScanOptions {
  LineParserOptions lines;
  /// Final states that are to be run again (`--retry`), by ItemState.
  std::array<bool, kItemStateCount> retry{};
  /// For temporary files; that of the database.
  std::string temporary_directory = ".";
  /// Bytes of the file read so far and in all; about every MiB, from one thread at a time, which
  /// need not be the caller's.
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress;
  /// Shown every usable request as it was built, from both threads at any time; may be empty.
  std::function<void(const Request& request, const Hash128& request_hash)> on_request;
  /// Asked as often, from both threads; true ends the scan with the error kScanCancelled.
  std::function<bool()> cancelled;
  unsigned threads = 2;  ///< 1 or 2
  std::size_t chunk_bytes = kDefaultChunkBytes;
};

inline constexpr const char* kScanCancelled = "reading the input was interrupted";

struct ScanResult {
  ScanCounts counts;
  std::uint64_t next_seq = 0;  ///< the first that no item has, this input's new ones included
  std::unique_ptr<LineRunStream> plan;         ///< every line of the input, in line order
  std::unique_ptr<InvalidLineStream> invalid;  ///< in line order
  /// Lines to be run whose request another item answered before or is to answer before: the runs'
  /// seqs are those of the other items (Item::same_as). In line order; null: there are none.
  std::unique_ptr<LineRunStream> repeats;
};

/// Scans `input`. The plan follows product terms: an item is `done` when its id is stored with the
/// same request hash in a final state that is not to be retried; a known item is otherwise
/// `todo_again` (what it had is to be reset when its state is final), an unknown one `todo` with
/// the next seq. Lines of one id and one request: the first counts, the others are duplicates;
/// lines of one id and different requests are all invalid. Invalid lines are data; an input that
/// cannot be read is an error of ErrorKind::usage, a full disk one of ErrorKind::failure.
Result<ScanResult> scan_input(const InputFile& input, const Provider& provider,
                              const ItemIndex& index, const ScanOptions& options);

}  // namespace llmbatch
