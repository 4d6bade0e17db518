// The requests that a line plan has to send, built as the run would build them and shown to a
// visitor: what `estimate` counts. The file is streamed in chunks, which two threads work on.
// Thread rule: scan_requests may be called from any thread; each visitor is used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "llmbatch/base/result.h"
#include "llmbatch/input/input_file.h"
#include "llmbatch/input/line_parser.h"
#include "llmbatch/model/line_plan.h"
#include "llmbatch/port/line_plan.h"
#include "llmbatch/port/provider.h"

namespace llmbatch {

class RequestVisitor {
 public:
  virtual ~RequestVisitor() = default;
  /// A request that is to be sent (`todo`), or was sent for the item `seq`. Valid during the call.
  virtual void visit(const Request& request, std::uint64_t seq, bool todo) = 0;
};

struct RequestScanOptions {
  LineParserOptions lines;
  /// Items that are done and are visited as well; ascending.
  std::vector<std::uint64_t> done_seqs;
  /// As in ScanOptions.
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress;
  std::function<bool()> cancelled;
  std::size_t chunk_bytes = kDefaultChunkBytes;
};

/// One thread per visitor. The plan is read from where it stands; every line from the first on has
/// to be in it. The order of the visits is that of the input within one chunk only. Fails when the
/// input cannot be read, or is another one than that of the plan.
Status scan_requests(const InputFile& input, const Provider& provider, LineRunStream& plan,
                     const RequestScanOptions& options, std::span<RequestVisitor* const> visitors);

}  // namespace llmbatch
