// ResultSink: where `export` puts results, one by one, in the order in which they are to appear.
// Thread rule: one thread.
#pragma once

#include <optional>
#include <string>

#include "llmbatch/base/result.h"
#include "llmbatch/model/item_result.h"

namespace llmbatch {

/// What `--with` adds to a result. Absent: not stored, or no longer there.
struct ExportExtras {
  std::optional<std::string> input;     ///< the line as it was read
  std::optional<std::string> request;   ///< the body as it was sent
  std::optional<std::string> response;  ///< the body as it came
};

class ResultSink {
 public:
  virtual ~ResultSink() = default;
  virtual Status add(const ItemResult& result, const ExportExtras& extras) = 0;
  /// False when nobody reads any more (`| head`): the caller may stop, and it is no error.
  virtual bool wants_more() const = 0;
  /// Makes the output complete. Without it a file that is being written never appears.
  virtual Status finish() = 0;
};

}  // namespace llmbatch
