// The BatchJournal over the tables batches and submissions.
#include <algorithm>

#include "batch_rows.h"
#include "response_codec.h"
#include "row_values.h"
#include "store_state.h"

namespace llmbatch {
namespace {

std::string replace_batch_sql() {
  std::string sql = "insert or replace into batches (";
  sql.append(kBatchColumns).append(") values (");
  for (int i = 1; i <= kBatchColumnCount; ++i) {
    sql += (i > 1 ? ",?" : "?") + std::to_string(i);
  }
  return sql + ")";
}

std::string replace_submission_sql() {
  return "insert or replace into submissions (" + std::string(kSubmissionColumns) +
         ") values (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)";
}

std::string select_submissions(std::string_view condition) {
  return "select " + std::string(kSubmissionColumns) + " from submissions where " +
         std::string(condition);
}

}  // namespace

class StoredBatches final : public BatchJournal {
 public:
  explicit StoredBatches(Store::State& state) : state_(&state) {}

  Result<std::vector<BatchRecord>> batches() override { return read_batches(connection()); }
  Status add(BatchRecord& record) override;
  Status write(const BatchCommit& commit) override;
  Result<std::optional<Submission>> submission(std::uint64_t seq) override;
  Result<std::vector<Submission>> submissions_of(const BatchRecord& batch, std::uint64_t after,
                                                 std::size_t limit) override;
  Result<std::optional<std::uint64_t>> seq_at(const BatchRecord& batch,
                                              std::int64_t position) override;
  Result<StoredItem> item(std::uint64_t seq) override;
  Result<std::optional<FaultyAnswer>> last_answer(std::uint64_t seq) override;

 private:
  Connection& connection() { return *state_->connection; }
  /// Prepares `statement` at its first use.
  Status prepare(Statement& statement, bool& prepared, const std::string& sql);
  Status write_record(const BatchRecord& record);
  Status write_submissions(std::span<const Submission> submissions);

  struct Prepared {
    Statement statement;
    bool done = false;
  };
  Status prepare(Prepared& prepared, const std::string& sql) {
    return prepare(prepared.statement, prepared.done, sql);
  }

  Store::State* state_;
  Prepared replace_batch_;
  Prepared replace_submission_;
  Prepared submission_;
  Prepared submissions_of_;
  Prepared item_;
};

Status StoredBatches::prepare(Statement& statement, bool& prepared, const std::string& sql) {
  if (prepared) return {};
  auto made = connection().prepare(sql);
  if (!made) return forward_error(made);
  statement = std::move(*made);
  prepared = true;
  return {};
}

Status StoredBatches::add(BatchRecord& record) {
  return state_->transact([&]() -> Status {
    auto number = connection().query_integer("select coalesce(max(number), 0) + 1 from batches");
    if (!number) return forward_error(number);
    record.number = *number;
    record.run = state_->run;
    return write_record(record);
  });
}

Status StoredBatches::write(const BatchCommit& commit) {
  return state_->transact([&]() -> Status {
    if (auto status = state_->writer.write_items(commit.items); !status) return status;
    if (auto status = write_submissions(commit.submissions); !status) return status;
    if (commit.record != nullptr) {
      if (auto status = write_record(*commit.record); !status) return status;
    }
    if (commit.progress == nullptr) return {};
    if (auto status = state_->writer.write_progress(*commit.progress); !status) return status;
    if (!commit.progress->status) return {};
    return state_->writer.write_status(*commit.progress->status);
  });
}

Status StoredBatches::write_record(const BatchRecord& record) {
  if (auto status = prepare(replace_batch_, replace_batch_sql()); !status) return status;
  std::string other_ids;
  bind_batch(replace_batch_.statement, record, other_ids);
  return replace_batch_.statement.run();
}

Status StoredBatches::write_submissions(std::span<const Submission> submissions) {
  if (!submissions.empty()) state_->writer.expect_submissions();
  if (auto status = prepare(replace_submission_, replace_submission_sql()); !status) return status;
  Statement& s = replace_submission_.statement;
  for (const Submission& submission : submissions) {
    const HashBytes request_hash(submission.request_hash);
    s.bind_unsigned(1, submission.seq);
    s.bind(2, submission.batch);
    s.bind(3, submission.position);
    s.bind(4, std::int64_t{submission.tries});
    s.bind(5, std::int64_t{submission.own_model});
    s.bind(6, std::int64_t{submission.changed});
    s.bind(7, std::int64_t{submission.reask});
    s.bind(8, std::int64_t{submission.retries});
    s.bind(9, std::int64_t{submission.timeouts});
    s.bind(10, std::int64_t{submission.malformed});
    s.bind(11, std::int64_t{submission.truncated});
    s.bind(12, std::int64_t{submission.rate_limited});
    s.bind_blob(13, request_hash.view());
    if (auto status = s.run(); !status) return status;
  }
  return {};
}

Result<std::optional<Submission>> StoredBatches::submission(std::uint64_t seq) {
  if (auto status = prepare(submission_, select_submissions("seq = ?1")); !status) {
    return forward_error(status);
  }
  Statement& s = submission_.statement;
  s.bind_unsigned(1, seq);
  auto row = s.step();
  if (!row) return forward_error(row);
  if (!*row) return std::optional<Submission>();
  const Submission submission = read_submission(s);
  s.reset();
  return std::optional(submission);
}

Result<std::vector<Submission>> StoredBatches::submissions_of(const BatchRecord& batch,
                                                              std::uint64_t after,
                                                              std::size_t limit) {
  const std::string sql =
      select_submissions("seq > ?1 and seq between ?2 and ?3 and batch = ?4 order by seq limit ?5");
  if (auto status = prepare(submissions_of_, sql); !status) return forward_error(status);
  Statement& s = submissions_of_.statement;
  s.bind_unsigned(1, after);
  s.bind_unsigned(2, batch.first_seq);
  s.bind_unsigned(3, batch.last_seq);
  s.bind(4, batch.number);
  s.bind(5, static_cast<std::int64_t>(limit));
  std::vector<Submission> submissions;
  for (;;) {
    auto row = s.step();
    if (!row) return forward_error(row);
    if (!*row) return submissions;
    submissions.push_back(read_submission(s));
  }
}

Result<std::optional<std::uint64_t>> StoredBatches::seq_at(const BatchRecord& batch,
                                                           std::int64_t position) {
  auto s = connection().prepare(
      "select seq from submissions where seq between ?1 and ?2 and batch = ?3 and position = ?4");
  if (!s) return forward_error(s);
  s->bind_unsigned(1, batch.first_seq);
  s->bind_unsigned(2, batch.last_seq);
  s->bind(3, batch.number);
  s->bind(4, position);
  auto row = s->step();
  if (!row) return forward_error(row);
  if (!*row) return std::optional<std::uint64_t>();
  return std::optional(s->unsigned_integer(0));
}

Result<StoredItem> StoredBatches::item(std::uint64_t seq) {
  const std::string sql =
      "select id, id_hash, request_hash, line, offset_bytes, length_bytes, attempts from items"
      " where seq = ?1";
  if (auto status = prepare(item_, sql); !status) return forward_error(status);
  Statement& s = item_.statement;
  s.bind_unsigned(1, seq);
  auto row = s.step();
  if (!row) return forward_error(row);
  if (!*row) return failure(connection().path() + ": item " + std::to_string(seq) + " is missing");
  StoredItem item;
  item.seq = seq;
  item.id = s.text(0);
  item.id_hash = read_hash(s, 1);
  item.request_hash = read_hash(s, 2);
  item.place = {s.unsigned_integer(3), s.unsigned_integer(4),
                static_cast<std::uint32_t>(s.integer(5))};
  item.attempts = static_cast<std::uint32_t>(s.integer(6));
  s.reset();
  return item;
}

Result<std::optional<FaultyAnswer>> StoredBatches::last_answer(std::uint64_t seq) {
  auto s = connection().prepare(
      "select a.response_encoding, a.response, a.http_status, a.error_message"
      " from items i join attempts a on a.id = i.last_attempt where i.seq = ?1");
  if (!s) return forward_error(s);
  s->bind_unsigned(1, seq);
  auto row = s->step();
  if (!row) return forward_error(row);
  if (!*row) return std::optional<FaultyAnswer>();
  auto response = decode_response(static_cast<ResponseEncoding>(s->integer(0)), s->blob(1));
  if (!response) return forward_error(response);
  return std::optional(
      FaultyAnswer{std::move(*response), static_cast<int>(s->integer(2)), std::string(s->text(3))});
}

std::unique_ptr<BatchJournal> Store::batch_journal() {
  return std::make_unique<StoredBatches>(*state_);
}

}  // namespace llmbatch
