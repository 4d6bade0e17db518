#include "llmbatch/store/verdict_store.h"

#include "open_database.h"
#include "row_values.h"

namespace llmbatch {
namespace {

constexpr std::string_view kInsert =
    "insert into verdicts (seq, request_hash, attempt, state, verdict, sampled, applied, time_ms,"
    " reviewer, note) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

}  // namespace

struct VerdictStore::State {
  std::unique_ptr<Connection> connection;
  Statement insert;

  Result<std::int64_t> add(const VerdictRecord& record) {
    const HashBytes hash(record.request_hash);
    insert.bind_unsigned(1, record.seq);
    insert.bind_blob(2, hash.view());
    insert.bind(3, record.attempt_id);
    insert.bind(4, static_cast<std::int64_t>(record.state));
    insert.bind(5, static_cast<std::int64_t>(record.verdict));
    insert.bind(6, std::int64_t{record.sampled});
    insert.bind_or_null(
        7, is_decision(record.verdict) ? std::optional(std::int64_t{0}) : std::nullopt);
    insert.bind(8, to_unix_millis(record.time));
    insert.bind(9, std::string_view(record.reviewer));
    insert.bind_text_or_null(10, record.note);
    if (auto status = insert.run(); !status) return forward_error(status);
    return connection->last_insert_id();
  }
};

VerdictStore::VerdictStore(std::unique_ptr<State> state) : state_(std::move(state)) {}

VerdictStore::~VerdictStore() = default;

Result<std::unique_ptr<VerdictStore>> VerdictStore::open(const std::string& path) {
  auto connection = open_shared_database(path);
  if (!connection) return forward_error(connection);
  auto state = std::make_unique<State>();
  state->connection = std::move(*connection);
  auto insert = state->connection->prepare(kInsert);
  if (!insert) return forward_error(insert);
  state->insert = std::move(*insert);
  return std::unique_ptr<VerdictStore>(new VerdictStore(std::move(state)));
}

Result<std::int64_t> VerdictStore::add(const VerdictRecord& record) {
  auto transaction = Transaction::begin(*state_->connection);
  if (!transaction) return forward_error(transaction);
  auto number = state_->add(record);
  if (!number) return number;
  if (auto status = transaction->commit(); !status) return forward_error(status);
  return number;
}

Status VerdictStore::add_all(std::span<const VerdictRecord> records) {
  auto transaction = Transaction::begin(*state_->connection);
  if (!transaction) return forward_error(transaction);
  for (const VerdictRecord& record : records) {
    if (auto number = state_->add(record); !number) return forward_error(number);
  }
  return transaction->commit();
}

Status VerdictStore::count_as_sampled(std::span<const std::uint64_t> seqs) {
  auto transaction = Transaction::begin(*state_->connection);
  if (!transaction) return forward_error(transaction);
  auto update = state_->connection->prepare("update verdicts set sampled = 1 where seq = ?1");
  if (!update) return forward_error(update);
  for (const std::uint64_t seq : seqs) {
    update->bind_unsigned(1, seq);
    if (auto status = update->run(); !status) return status;
  }
  return transaction->commit();
}

Result<bool> VerdictStore::remove(std::int64_t number) {
  auto transaction = Transaction::begin(*state_->connection);
  if (!transaction) return forward_error(transaction);
  auto erase = state_->connection->prepare(
      "delete from verdicts where id = ?1 and coalesce(applied, 0) = 0");
  if (!erase) return forward_error(erase);
  erase->bind(1, number);
  if (auto status = erase->run(); !status) return forward_error(status);
  const bool removed = state_->connection->changed_rows() > 0;
  if (auto status = transaction->commit(); !status) return forward_error(status);
  return removed;
}

}  // namespace llmbatch
