#include "batch_rows.h"

#include <string>

#include "row_values.h"

namespace llmbatch {
namespace {

std::optional<std::int64_t> millis(const std::optional<WallTime>& time) {
  return time ? std::optional(to_unix_millis(*time)) : std::nullopt;
}

std::optional<WallTime> read_time(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return from_unix_millis(row.integer(column));
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace

void bind_batch(Statement& s, const BatchRecord& batch, std::string& other_ids) {
  other_ids = join(batch.other_ids);
  s.bind(1, batch.number);
  s.bind(2, batch.run);
  s.bind(3, static_cast<std::int64_t>(batch.stage));
  s.bind(4, static_cast<std::int64_t>(batch.remote_state));
  s.bind_or_null(5, millis(batch.call_begun_at));
  s.bind(6, std::string_view(batch.tag));
  s.bind(7, std::string_view(batch.model));
  s.bind(8, std::string_view(batch.url));
  s.bind(9, batch.requests);
  s.bind(10, batch.bytes);
  s.bind_unsigned(11, batch.first_seq);
  s.bind_unsigned(12, batch.last_seq);
  s.bind(13, std::string_view(batch.file_path));
  s.bind(14, std::string_view(batch.input_file));
  s.bind(15, std::string_view(batch.remote_id));
  s.bind_or_null(16, batch.counts ? std::optional(batch.counts->total) : std::nullopt);
  s.bind_or_null(17, batch.counts ? std::optional(batch.counts->succeeded) : std::nullopt);
  s.bind_or_null(18, batch.counts ? std::optional(batch.counts->failed) : std::nullopt);
  s.bind(19, std::int64_t{batch.queue_full});
  s.bind(20, std::int64_t{batch.cancel_asked});
  s.bind(21, std::string_view(other_ids));
  s.bind(22, std::string_view(batch.key_hash));
  s.bind(23, batch.reserved.pico());
  s.bind(24, batch.answered);
  s.bind(25, batch.unanswered);
  s.bind(26, to_unix_millis(batch.created_at));
  s.bind_or_null(27, millis(batch.submitted_at));
  s.bind_or_null(28, millis(batch.expires_at));
  s.bind_or_null(29, millis(batch.ended_at));
  s.bind_or_null(30, millis(batch.collected_at));
  s.bind(31, std::string_view(batch.message));
}

BatchRecord read_batch(const Statement& row) {
  BatchRecord batch;
  batch.number = row.integer(0);
  batch.run = row.integer(1);
  batch.stage = static_cast<BatchStage>(row.integer(2));
  batch.remote_state = static_cast<RemoteBatchState>(row.integer(3));
  batch.call_begun_at = read_time(row, 4);
  batch.tag = row.text(5);
  batch.model = row.text(6);
  batch.url = row.text(7);
  batch.requests = row.integer(8);
  batch.bytes = row.integer(9);
  batch.first_seq = row.unsigned_integer(10);
  batch.last_seq = row.unsigned_integer(11);
  batch.file_path = row.text(12);
  batch.input_file = row.text(13);
  batch.remote_id = row.text(14);
  if (!row.is_null(15)) {
    batch.counts = RemoteCounts{row.integer(15), row.integer(16), row.integer(17)};
  }
  batch.queue_full = row.integer(18) != 0;
  batch.cancel_asked = row.integer(19) != 0;
  batch.other_ids = split(row.text(20));
  batch.key_hash = row.text(21);
  batch.reserved = Money::from_pico(row.integer(22));
  batch.answered = row.integer(23);
  batch.unanswered = row.integer(24);
  batch.created_at = from_unix_millis(row.integer(25));
  batch.submitted_at = read_time(row, 26);
  batch.expires_at = read_time(row, 27);
  batch.ended_at = read_time(row, 28);
  batch.collected_at = read_time(row, 29);
  batch.message = row.text(30);
  return batch;
}

Result<std::vector<BatchRecord>> read_batches(Connection& connection) {
  auto rows =
      connection.prepare("select " + std::string(kBatchColumns) + " from batches order by number");
  if (!rows) return forward_error(rows);
  std::vector<BatchRecord> batches;
  for (;;) {
    auto row = rows->step();
    if (!row) return forward_error(row);
    if (!*row) return batches;
    batches.push_back(read_batch(*rows));
  }
}

Submission read_submission(const Statement& row) {
  const auto count = [&row](int column) { return static_cast<std::uint32_t>(row.integer(column)); };
  Submission submission;
  submission.seq = row.unsigned_integer(0);
  submission.batch = row.integer(1);
  submission.position = row.integer(2);
  submission.tries = count(3);
  submission.own_model = row.integer(4) != 0;
  submission.changed = row.integer(5) != 0;
  submission.reask = row.integer(6) != 0;
  submission.retries = count(7);
  submission.timeouts = count(8);
  submission.malformed = count(9);
  submission.truncated = count(10);
  submission.rate_limited = count(11);
  submission.request_hash = read_hash(row, 12);
  return submission;
}

}  // namespace llmbatch
