// ItemLogWriter: appends to the table item_log. Each commit adds one small row; 256 of them (or
// half a MiB) become one large row in the same transaction, so that opening a finished job reads
// hundreds of rows, whatever the size of its commits. Thread rule: that of its connection.
#pragma once

#include <cstdint>
#include <string_view>

#include "connection.h"
#include "packed_records.h"

namespace llmbatch {

class ItemLogWriter {
 public:
  static constexpr std::int64_t kMaxSmallRows = 64;
  static constexpr std::int64_t kMaxSmallBytes = 128 * 1024;
  /// A merged row below this size is merged again with what comes after it.
  static constexpr std::int64_t kFullRowBytes = 128 * 1024;

  static Result<ItemLogWriter> open(Connection& connection);

  /// Adds the records within the caller's transaction.
  Status append(const IndexRecordPacker& records);
  /// Adds many records at once, as a row of its own.
  Status append_merged(const IndexRecordPacker& records);

 private:
  ItemLogWriter(Connection& connection, Statement insert)
      : connection_(&connection), insert_(std::move(insert)) {}
  Status insert(bool merged, std::string_view bytes);
  Status count_small_rows();
  Status merge();

  Connection* connection_;
  Statement insert_;
  std::int64_t small_rows_ = 0;
  std::int64_t small_bytes_ = 0;
};

}  // namespace llmbatch
