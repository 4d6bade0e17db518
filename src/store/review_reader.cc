#include "llmbatch/store/review_reader.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>

#include "open_database.h"
#include "packed_records.h"
#include "result_query.h"
#include "row_values.h"
#include "stored_plan.h"

namespace llmbatch {
namespace {

constexpr std::string_view kSelectVerdicts =
    "select seq, request_hash, attempt, verdict, sampled from verdicts order by seq, id desc";

constexpr std::string_view kSelectItems =
    "select seq, state, last_attempt, id_hash, request_hash from items"
    " where seq between ?1 and ?2 and (?3 >> state) & 1 order by seq";

constexpr std::string_view kSelectNotes =
    "select i.id, i.state, v.verdict, v.note, v.reviewer, v.time_ms from verdicts v"
    " join items i on i.seq = v.seq and i.request_hash = v.request_hash"
    " and coalesce(i.last_attempt, 0) = v.attempt"
    " where v.note is not null and not exists (select 1 from verdicts w where w.seq = v.seq"
    " and w.id > v.id) order by v.id desc limit ?1";

struct StoredVerdict {
  std::uint64_t seq = 0;
  Hash128 request_hash;
  std::int64_t attempt_id = 0;
  Verdict verdict = Verdict::skip;
  bool sampled = false;
};

Result<std::vector<StoredVerdict>> read_verdicts(Connection& connection) {
  auto rows = connection.prepare(kSelectVerdicts);
  if (!rows) return forward_error(rows);
  std::vector<StoredVerdict> verdicts;
  for (;;) {
    auto row = rows->step();
    if (!row) return forward_error(row);
    if (!*row) return verdicts;
    verdicts.push_back({rows->unsigned_integer(0), read_hash(*rows, 1), rows->integer(2),
                        static_cast<Verdict>(rows->integer(3)), rows->integer(4) != 0});
  }
}

/// Finds the latest verdict about the answer that an item has now. Asked in any order.
void judge(ReviewCandidate& candidate, const std::vector<StoredVerdict>& verdicts) {
  candidate.verdict.reset();
  candidate.sampled = false;
  auto found = std::lower_bound(
      verdicts.begin(), verdicts.end(), candidate.seq,
      [](const StoredVerdict& verdict, std::uint64_t seq) { return verdict.seq < seq; });
  for (; found != verdicts.end() && found->seq == candidate.seq; ++found) {
    if (found->attempt_id != candidate.attempt_id) continue;
    if (found->request_hash != candidate.request_hash) continue;
    if (!candidate.verdict) candidate.verdict = found->verdict;
    candidate.sampled = candidate.sampled || found->sampled;
  }
}

/// The walk over the items of the current input.
class CandidateWalk {
 public:
  CandidateWalk(Connection& connection, std::int64_t state_mask,
                const std::vector<StoredVerdict>& verdicts,
                const std::function<void(const ReviewCandidate&)>& visit)
      : connection_(&connection), state_mask_(state_mask), verdicts_(&verdicts), visit_(&visit) {}

  Status run() {
    auto has_map = connection_->query_integer("select has_line_map from input");
    if (!has_map) return forward_error(has_map);
    auto items = connection_->prepare(kSelectItems);
    if (!items) return forward_error(items);
    items_ = std::move(*items);
    if (*has_map == 0) return visit(0, std::numeric_limits<std::int64_t>::max(), 0);
    StoredLineMap map(*connection_, 1);
    SeqRangeStream ranges(map);
    LineRun range;
    for (;;) {
      auto more = ranges.next(range);
      if (!more) return forward_error(more);
      if (!*more) return {};
      if (!has_seq(range.kind)) continue;
      auto visited = visit(range.first_seq, range.first_seq + range.count - 1, range.first_line);
      if (!visited) return visited;
    }
  }

 private:
  Status visit(std::uint64_t first_seq, std::uint64_t last_seq, std::uint64_t first_line) {
    items_.bind_unsigned(1, first_seq);
    items_.bind_unsigned(2, last_seq);
    items_.bind(3, state_mask_);
    ReviewCandidate candidate;
    for (;;) {
      auto row = items_.step();
      if (!row) return forward_error(row);
      if (!*row) return {};
      candidate.seq = items_.unsigned_integer(0);
      candidate.line = first_line == 0 ? 0 : first_line + (candidate.seq - first_seq);
      candidate.state = static_cast<ItemState>(items_.integer(1));
      candidate.attempt_id = items_.integer(2);
      candidate.id_hash = read_hash(items_, 3);
      candidate.request_hash = read_hash(items_, 4);
      judge(candidate, *verdicts_);
      (*visit_)(candidate);
    }
  }

  Connection* connection_;
  std::int64_t state_mask_;
  const std::vector<StoredVerdict>* verdicts_;
  const std::function<void(const ReviewCandidate&)>* visit_;
  Statement items_;
};

}  // namespace

struct ReviewReader::State {
  std::unique_ptr<Connection> connection;

  /// One read transaction around several statements: all of them see the same state.
  template <typename Read>
  Status snapshot(Read&& read) {
    if (auto status = connection->execute("begin"); !status) return status;
    Status status = read();
    Status ended = connection->execute("commit");
    return status ? ended : status;
  }
};

ReviewReader::ReviewReader(std::unique_ptr<State> state) : state_(std::move(state)) {}

ReviewReader::~ReviewReader() = default;

Result<std::unique_ptr<ReviewReader>> ReviewReader::open(const std::string& path) {
  auto connection = open_readable_database(path);
  if (!connection) return forward_error(connection);
  auto state = std::make_unique<State>();
  state->connection = std::move(*connection);
  return std::unique_ptr<ReviewReader>(new ReviewReader(std::move(state)));
}

Status ReviewReader::for_each(std::span<const ItemState> states,
                              const std::function<void(const ReviewCandidate&)>& visit) {
  std::int64_t mask = 0;
  for (const ItemState state : states) mask |= std::int64_t{1} << static_cast<unsigned>(state);
  return state_->snapshot([&]() -> Status {
    auto verdicts = read_verdicts(*state_->connection);
    if (!verdicts) return forward_error(verdicts);
    return CandidateWalk(*state_->connection, mask, *verdicts, visit).run();
  });
}

Result<std::optional<ResultRow>> ReviewReader::item(std::uint64_t seq, std::uint64_t line) {
  std::optional<ResultRow> found;
  const ResultFilter filter;
  const ResultQuery::Visit visit = [&found](const ResultRow& row) {
    found = row;
    return Result<bool>(false);
  };
  ResultQuery query(*state_->connection, filter, visit);
  Status status = query.run_one(seq, line);
  if (!status) return forward_error(status);
  return found;
}

Result<std::optional<VerdictRecord>> ReviewReader::verdict_on(const ResultRow& row) {
  auto rows = state_->connection->prepare(
      "select state, verdict, sampled, time_ms, reviewer, note from verdicts where seq = ?1"
      " and request_hash = ?2 and attempt = ?3 order by id desc limit 1");
  if (!rows) return forward_error(rows);
  const HashBytes hash(row.request_hash);
  rows->bind_unsigned(1, row.result.seq);
  rows->bind_blob(2, hash.view());
  rows->bind(3, row.attempt_id);
  auto found = rows->step();
  if (!found) return forward_error(found);
  if (!*found) return std::optional<VerdictRecord>();
  VerdictRecord record;
  record.seq = row.result.seq;
  record.request_hash = row.request_hash;
  record.attempt_id = row.attempt_id;
  record.state = static_cast<ItemState>(rows->integer(0));
  record.verdict = static_cast<Verdict>(rows->integer(1));
  record.sampled = rows->integer(2) != 0;
  record.time = from_unix_millis(rows->integer(3));
  record.reviewer = rows->text(4);
  record.note = rows->text(5);
  return std::optional(std::move(record));
}

Result<std::vector<ReviewTally>> ReviewReader::tally() {
  std::vector<ReviewTally> tallies;
  for (const ItemState state : kReviewedStates) tallies.push_back({state, 0, 0, 0});
  Status status = for_each(kReviewedStates, [&tallies](const ReviewCandidate& candidate) {
    const auto tally = std::find_if(
        tallies.begin(), tallies.end(),
        [&candidate](const ReviewTally& entry) { return entry.state == candidate.state; });
    ++tally->items;
    if (!candidate.sampled || !candidate.verdict) return;
    const Verdict verdict = *candidate.verdict;
    if (verdict == Verdict::good || verdict == Verdict::accept) ++tally->good;
    if (verdict == Verdict::bad) ++tally->bad;
  });
  if (!status) return forward_error(status);
  return tallies;
}

Result<std::vector<VerdictNote>> ReviewReader::notes(std::size_t limit) {
  auto rows = state_->connection->prepare(kSelectNotes);
  if (!rows) return forward_error(rows);
  rows->bind(1, static_cast<std::int64_t>(limit));
  std::vector<VerdictNote> notes;
  for (;;) {
    auto row = rows->step();
    if (!row) return forward_error(row);
    if (!*row) return notes;
    VerdictNote note;
    note.id = rows->text(0);
    note.state = static_cast<ItemState>(rows->integer(1));
    note.verdict = static_cast<Verdict>(rows->integer(2));
    note.note = rows->text(3);
    note.reviewer = rows->text(4);
    note.time = from_unix_millis(rows->integer(5));
    notes.push_back(std::move(note));
  }
}

Result<std::int64_t> ReviewReader::waiting_decisions() {
  return state_->connection->query_integer("select count(*) from verdicts where applied = 0");
}

}  // namespace llmbatch
