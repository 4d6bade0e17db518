// Sequential readers of what a scan found. Thread rule: one thread.
#pragma once

#include "llmbatch/base/result.h"
#include "llmbatch/model/line_plan.h"

namespace llmbatch {

/// A stream of records; next() fills `record` and is false at the end.
template <typename Record>
class RecordStream {
 public:
  virtual ~RecordStream() = default;
  virtual Result<bool> next(Record& record) = 0;
  /// Back to the first record.
  virtual Status rewind() = 0;
};

using LineRunStream = RecordStream<LineRun>;
using InvalidLineStream = RecordStream<InvalidLine>;

}  // namespace llmbatch
