#include "item_log.h"

#include <string>

namespace llmbatch {
namespace {

Status repack(IndexRecordPacker& into, std::string_view bytes, const std::string& path) {
  IndexRecordUnpacker unpacker(bytes);
  IndexRecord record;
  while (unpacker.next(record)) into.add(record);
  if (unpacker.damaged()) return failure(path + ": the item log is damaged");
  return {};
}

}  // namespace

Result<ItemLogWriter> ItemLogWriter::open(Connection& connection) {
  auto insert = connection.prepare("insert into item_log (merged, data) values (?1, ?2)");
  if (!insert) return forward_error(insert);
  ItemLogWriter log(connection, std::move(*insert));
  if (auto status = log.count_small_rows(); !status) return forward_error(status);
  return log;
}

Status ItemLogWriter::count_small_rows() {
  auto rows = connection_->prepare("select merged, length(data) from item_log order by id desc");
  if (!rows) return forward_error(rows);
  for (;;) {
    auto row = rows->step();
    if (!row) return forward_error(row);
    if (!*row || rows->integer(0) != 0) return {};
    ++small_rows_;
    small_bytes_ += rows->integer(1);
  }
}

Status ItemLogWriter::insert(bool merged, std::string_view bytes) {
  insert_.bind(1, std::int64_t{merged});
  insert_.bind_blob(2, bytes);
  return insert_.run();
}

Status ItemLogWriter::append(const IndexRecordPacker& records) {
  if (records.empty()) return {};
  if (auto status = insert(false, records.bytes()); !status) return status;
  ++small_rows_;
  small_bytes_ += static_cast<std::int64_t>(records.bytes().size());
  return small_rows_ >= kMaxSmallRows || small_bytes_ >= kMaxSmallBytes ? merge() : Status{};
}

Status ItemLogWriter::append_merged(const IndexRecordPacker& records) {
  if (records.empty()) return {};
  // Small rows are only ever the last ones of the table.
  if (small_rows_ > 0) {
    if (auto status = merge(); !status) return status;
  }
  return insert(true, records.bytes());
}

Status ItemLogWriter::merge() {
  auto first = connection_->query_integer(
      "select coalesce((select id from item_log where id = (select max(id) from item_log where"
      " merged = 1) and length(data) < " +
      std::to_string(kFullRowBytes) +
      "),"
      " (select max(id) + 1 from item_log where merged = 1), 0)");
  if (!first) return forward_error(first);
  auto rows = connection_->prepare("select data from item_log where id >= ?1 order by id");
  if (!rows) return forward_error(rows);
  rows->bind(1, *first);
  IndexRecordPacker all;
  for (;;) {
    auto row = rows->step();
    if (!row) return forward_error(row);
    if (!*row) break;
    auto status = repack(all, rows->blob(0), connection_->path());
    if (!status) return status;
  }
  auto remove = connection_->prepare("delete from item_log where id >= ?1");
  if (!remove) return forward_error(remove);
  remove->bind(1, *first);
  if (auto status = remove->run(); !status) return status;
  small_rows_ = 0;
  small_bytes_ = 0;
  return insert(true, all.bytes());
}

}  // namespace llmbatch
