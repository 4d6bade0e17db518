#include "recheck_writer.h"

#include "row_values.h"

namespace llmbatch {

Status RecheckWriter::write(RecheckStream& items, StateCounts& counts) {
  // Attempts, costs and times stay: an answer is no other for being judged again.
  auto judge = connection_->prepare(
      "update items set request_hash = ?2, state = ?3, error_class = ?4, error_message = ?5,"
      " output = ?6, output_is_json = ?7 where seq = ?1");
  if (!judge) return forward_error(judge);
  judge_ = std::move(*judge);
  auto rehash = connection_->prepare(
      "update items set request_hash = ?2 where seq = ?1 and request_hash <> ?2");
  if (!rehash) return forward_error(rehash);
  rehash_ = std::move(*rehash);
  // A reviewer's verdict is about the answer, which stays.
  auto keep = connection_->prepare(
      "update verdicts set request_hash = ?2 where seq = ?1"
      " and request_hash = (select request_hash from items where seq = ?1)");
  if (!keep) return forward_error(keep);
  keep_verdicts_ = std::move(*keep);
  RecheckedItem item;
  for (;;) {
    auto more = items.next(item);
    if (!more) return forward_error(more);
    if (!*more) break;
    if (auto status = write_item(item); !status) return status;
    --counts[item.before];
    ++counts[item.state];
    records_.add({item.id_hash, item.request_hash, item.seq, item.state});
    if (auto status = flush_if_full(); !status) return status;
  }
  return log_->append(records_);
}

Status RecheckWriter::write_item(const RecheckedItem& item) {
  const HashBytes request_hash(item.request_hash);
  keep_verdicts_.bind_unsigned(1, item.seq);
  keep_verdicts_.bind_blob(2, request_hash.view());
  if (auto status = keep_verdicts_.run(); !status) return status;
  if (!item.judged) {
    rehash_.bind_unsigned(1, item.seq);
    rehash_.bind_blob(2, request_hash.view());
    return rehash_.run();
  }
  judge_.bind_unsigned(1, item.seq);
  judge_.bind_blob(2, request_hash.view());
  judge_.bind(3, static_cast<std::int64_t>(item.state));
  judge_.bind(4, static_cast<std::int64_t>(item.error));
  if (item.error_message.empty()) {
    judge_.bind_null(5);
  } else {
    judge_.bind(5, std::string_view(item.error_message));
  }
  judge_.bind(6, std::string_view(item.output));
  judge_.bind(7, std::int64_t{item.output_is_json});
  return judge_.run();
}

Status RecheckWriter::flush_if_full() {
  if (records_.bytes().size() < static_cast<std::size_t>(ItemLogWriter::kFullRowBytes)) return {};
  if (auto status = log_->append_merged(records_); !status) return status;
  records_.clear();
  return {};
}

}  // namespace llmbatch
