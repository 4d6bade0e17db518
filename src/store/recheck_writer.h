// Writes answers that were judged anew. Works within its caller's transaction, with constant
// memory. Thread rule: that of its connection.
#pragma once

#include "connection.h"
#include "item_log.h"
#include "llmbatch/model/run_status.h"
#include "llmbatch/store/stored_input.h"
#include "packed_records.h"

namespace llmbatch {

class RecheckWriter {
 public:
  RecheckWriter(Connection& connection, ItemLogWriter& log)
      : connection_(&connection), log_(&log) {}

  /// Moves every changed state in `counts`.
  Status write(RecheckStream& items, StateCounts& counts);

 private:
  Status write_item(const RecheckedItem& item);
  Status flush_if_full();

  Connection* connection_;
  ItemLogWriter* log_;
  Statement judge_;
  Statement rehash_;
  Statement keep_verdicts_;
  IndexRecordPacker records_;
};

}  // namespace llmbatch
