#include "llmbatch/store/store_reader.h"

#include <algorithm>

#include "answered_items.h"
#include "batch_rows.h"
#include "llmbatch/base/text.h"
#include "open_database.h"
#include "response_codec.h"
#include "result_query.h"
#include "row_values.h"
#include "stored_answers.h"
#include "stored_plan.h"

namespace llmbatch {
namespace {

constexpr std::size_t kSampleChars = 200;

class StoredItemIndex final : public ItemIndex {
 public:
  /// Reads what the cheap questions need, so that only for_each() can fail.
  static Result<std::unique_ptr<StoredItemIndex>> open(Connection& connection) {
    auto next_seq = connection.query_integer("select coalesce(max(seq) + 1, 1) from items");
    if (!next_seq) return forward_error(next_seq);
    auto log_rows = connection.query_integer("select exists (select 1 from item_log)");
    if (!log_rows) return forward_error(log_rows);
    return std::unique_ptr<StoredItemIndex>(
        new StoredItemIndex(connection, static_cast<std::uint64_t>(*next_seq), *log_rows == 0));
  }

  bool empty() const override { return empty_; }
  std::uint64_t next_seq() const override { return next_seq_; }

  Status for_each(const std::function<void(const IndexRecord&)>& visit) const override {
    auto rows = connection_->prepare("select data from item_log order by id");
    if (!rows) return forward_error(rows);
    for (;;) {
      auto row = rows->step();
      if (!row) return forward_error(row);
      if (!*row) return {};
      IndexRecordUnpacker unpacker(rows->blob(0));
      IndexRecord record;
      while (unpacker.next(record)) visit(record);
      if (unpacker.damaged()) return failure(connection_->path() + ": the item log is damaged");
    }
  }

 private:
  StoredItemIndex(Connection& connection, std::uint64_t next_seq, bool empty)
      : connection_(&connection), next_seq_(next_seq), empty_(empty) {}

  Connection* connection_;
  std::uint64_t next_seq_;
  bool empty_;
};

/// Counts the states of a range of items, one column each: `group by state` would sort all of them.
constexpr std::string_view kCountStates =
    "select total(state = 0), total(state = 1), total(state = 2), total(state = 3),"
    " total(state = 4), total(state = 5), total(state = 6), total(state = 7)"
    " from items where seq between ?1 and ?2";

/// Adds up what `counter` (kCountStates) yields.
Status add_counts(Statement& counter, StateCounts& counts) {
  static_assert(kItemStateCount == 8);
  auto row = counter.step();
  if (!row) return forward_error(row);
  for (int state = 0; state < kItemStateCount; ++state) {
    counts[static_cast<ItemState>(state)] += counter.integer(state);
  }
  counter.reset();
  return {};
}

void read_input_row(const Statement& row, StoredInput& input) {
  input.identity.path = row.text(0);
  input.identity.device = row.unsigned_integer(1);
  input.identity.inode = row.unsigned_integer(2);
  input.identity.size_bytes = row.unsigned_integer(3);
  input.identity.mtime_nanos = row.integer(4);
  input.identity.ctime_nanos = row.integer(5);
  input.identity.ends = read_hash(row, 6);
  input.has_line_map = row.integer(7) != 0;
  input.natural_order = row.integer(8) != 0;
  input.counts.lines = row.unsigned_integer(9);
  input.counts.blank = row.unsigned_integer(10);
  input.counts.todo = row.unsigned_integer(11);
  input.counts.changed = row.unsigned_integer(12);
  input.counts.duplicates = row.unsigned_integer(13);
  input.counts.invalid = row.unsigned_integer(14);
  constexpr auto kFirstDone = static_cast<std::size_t>(ItemState::succeeded);
  for (std::size_t i = 0; i < 5; ++i) {
    input.counts.done_by_state[kFirstDone + i] = row.unsigned_integer(15 + static_cast<int>(i));
  }
  input.done_below_line = row.unsigned_integer(20);
  for (int i = 0; i < kItemStateCount; ++i) {
    input.items.by_state[static_cast<std::size_t>(i)] = row.integer(21 + i);
  }
}

/// The place of the last line below `line` that was finished under the present line map.
Result<std::optional<InputPlace>> find_known_place(Connection& connection, std::uint64_t line) {
  auto rows = connection.prepare(
      "select first_line, data from line_map where first_line < ?1 order by first_line desc limit "
      "4");
  if (!rows) return forward_error(rows);
  auto place = connection.prepare(
      "select line, offset_bytes, length_bytes from items where seq between ?1 and ?2"
      " and state >= 3 order by seq desc limit 1");
  if (!place) return forward_error(place);
  rows->bind_unsigned(1, line);
  for (;;) {
    auto row = rows->step();
    if (!row) return forward_error(row);
    if (!*row) return std::optional<InputPlace>();
    std::vector<LineRun> todo;
    LineRunUnpacker unpacker(rows->unsigned_integer(0), rows->blob(1));
    LineRun run;
    while (unpacker.next(run) && run.first_line < line) {
      run.count = std::min(run.count, line - run.first_line);
      if (run.kind == LineKind::todo || run.kind == LineKind::todo_again) todo.push_back(run);
    }
    for (auto it = todo.rbegin(); it != todo.rend(); ++it) {
      place->bind_unsigned(1, it->first_seq);
      place->bind_unsigned(2, it->first_seq + it->count - 1);
      auto found = place->step();
      if (!found) return forward_error(found);
      if (!*found) continue;
      return std::optional(InputPlace{place->unsigned_integer(0), place->unsigned_integer(1),
                                      static_cast<std::uint32_t>(place->integer(2))});
    }
  }
}

}  // namespace

struct StoreReader::State {
  std::unique_ptr<Connection> connection;
  std::unique_ptr<StoredItemIndex> index;
  Statement attempts_of;
  Statement answer_of;
  Statement response;
};

StoreReader::StoreReader(std::unique_ptr<State> state) : state_(std::move(state)) {}

StoreReader::~StoreReader() = default;

Result<std::unique_ptr<StoreReader>> StoreReader::open(const std::string& path) {
  auto connection = open_readable_database(path);
  if (!connection) return forward_error(connection);
  auto state = std::make_unique<State>();
  state->connection = std::move(*connection);
  auto index = StoredItemIndex::open(*state->connection);
  if (!index) return forward_error(index);
  state->index = std::move(*index);
  auto attempts_of = state->connection->prepare("select attempts, state from items where seq = ?1");
  if (!attempts_of) return forward_error(attempts_of);
  state->attempts_of = std::move(*attempts_of);
  auto answer_of = state->connection->prepare(
      "select state, error_class, http_status, last_attempt, output, exists (select 1 from "
      "verdicts v"
      "  where v.seq = i.seq and v.verdict = 4 and v.applied = 1 and v.request_hash = "
      "i.request_hash"
      "  and v.attempt = coalesce(i.last_attempt, 0)) from items i where i.seq = ?1");
  if (!answer_of) return forward_error(answer_of);
  state->answer_of = std::move(*answer_of);
  auto response =
      state->connection->prepare("select response_encoding, response from attempts where id = ?1");
  if (!response) return forward_error(response);
  state->response = std::move(*response);
  return std::unique_ptr<StoreReader>(new StoreReader(std::move(state)));
}

Result<std::optional<JobIdentity>> StoreReader::job() { return read_job(*state_->connection); }

const ItemIndex& StoreReader::index() { return *state_->index; }

Result<std::optional<StoredInput>> StoreReader::last_input() {
  auto row = state_->connection->prepare(
      "select path, device, inode, size_bytes, mtime_nanos, ctime_nanos, ends, has_line_map,"
      " natural_order, lines, blank, todo, changed, duplicates, i.invalid, done_succeeded,"
      " done_filtered, done_flagged, done_failed, done_invalid, done_below_line, pending, "
      "in_flight,"
      " submitted, succeeded, filtered, flagged, failed, p.invalid from input i, progress p");
  if (!row) return forward_error(row);
  auto found = row->step();
  if (!found) return forward_error(found);
  if (!*found) return std::optional<StoredInput>();
  StoredInput input;
  read_input_row(*row, input);
  if (input.has_line_map) {
    auto place = find_known_place(*state_->connection, input.done_below_line);
    if (!place) return forward_error(place);
    input.known_place = *place;
  }
  return std::optional(std::move(input));
}

std::unique_ptr<LineRunStream> StoreReader::line_map(std::uint64_t from_line) {
  return std::make_unique<StoredLineMap>(*state_->connection, from_line);
}

std::unique_ptr<LineRunStream> StoreReader::remaining_plan(std::uint64_t from_line) {
  return std::make_unique<RemainingPlan>(*state_->connection, from_line);
}

Result<std::unique_ptr<LineRunStream>> StoreReader::repeats(std::uint64_t from_line) {
  auto any = state_->connection->query_integer("select exists (select 1 from line_repeats)");
  if (!any) return forward_error(any);
  if (*any == 0) return nullptr;
  return std::make_unique<StoredLineMap>(*state_->connection, from_line, "line_repeats");
}

std::unique_ptr<KnownAnswers> StoreReader::answers(const std::optional<Hash128>& endpoint) {
  return std::make_unique<StoredAnswers>(*state_->connection, endpoint);
}

Result<std::vector<std::uint64_t>> StoreReader::done_lines_from(std::uint64_t from_line) {
  auto finals = state_->connection->prepare(
      "select seq from items where seq between ?1 and ?2 and state >= 3 order by seq");
  if (!finals) return forward_error(finals);
  StoredLineMap map(*state_->connection, from_line);
  std::vector<std::uint64_t> lines;
  LineRun run;
  for (;;) {
    auto more = map.next(run);
    if (!more) return forward_error(more);
    if (!*more) return lines;
    if (run.kind != LineKind::todo && run.kind != LineKind::todo_again) continue;
    finals->bind_unsigned(1, run.first_seq);
    finals->bind_unsigned(2, run.first_seq + run.count - 1);
    for (;;) {
      auto row = finals->step();
      if (!row) return forward_error(row);
      if (!*row) break;
      lines.push_back(run.first_line + (finals->unsigned_integer(0) - run.first_seq));
    }
  }
}

Result<std::uint32_t> StoreReader::attempts_of(std::uint64_t seq) {
  auto progress = progress_of(seq);
  if (!progress) return forward_error(progress);
  return progress->attempts;
}

Result<StoreReader::ItemProgress> StoreReader::progress_of(std::uint64_t seq) {
  Statement& s = state_->attempts_of;
  s.bind_unsigned(1, seq);
  auto found = s.step();
  if (!found) return forward_error(found);
  ItemProgress progress;
  if (*found) {
    progress.attempts = static_cast<std::uint32_t>(s.integer(0));
    progress.state = static_cast<ItemState>(s.integer(1));
  }
  s.reset();
  return progress;
}

Result<std::vector<BatchRecord>> StoreReader::batches() {
  return read_batches(*state_->connection);
}

Result<std::optional<StoredAnswer>> StoreReader::answer_of(std::uint64_t seq) {
  Statement& s = state_->answer_of;
  s.bind_unsigned(1, seq);
  auto found = s.step();
  if (!found) return forward_error(found);
  if (!*found) return std::optional<StoredAnswer>();
  StoredAnswer answer;
  answer.state = static_cast<ItemState>(s.integer(0));
  answer.error = static_cast<ErrorClass>(s.integer(1));
  answer.http_status = static_cast<int>(s.integer(2));
  answer.attempt_id = s.integer(3);
  answer.output = s.text(4);
  answer.accepted = s.integer(5) != 0;
  s.reset();
  return std::optional(std::move(answer));
}

Result<std::string> StoreReader::limiter_state() {
  auto row = state_->connection->prepare("select limiter_state from progress");
  if (!row) return forward_error(row);
  auto found = row->step();
  if (!found) return forward_error(found);
  return *found ? std::string(row->blob(0)) : std::string();
}

Result<UsageMeans> StoreReader::usage_means() {
  auto row = state_->connection->prepare(
      "select counted_input_mean, reported_input_mean, input_samples, output_mean, output_samples"
      " from progress");
  if (!row) return forward_error(row);
  auto found = row->step();
  if (!found) return forward_error(found);
  if (!*found) return UsageMeans{};
  return UsageMeans{row->real(0), row->real(1), row->integer(2), row->real(3), row->integer(4)};
}

Result<JobTotals> StoreReader::totals() { return read_totals(*state_->connection); }

Result<std::optional<RunStatus>> StoreReader::status() {
  auto row = state_->connection->prepare("select json from status");
  if (!row) return forward_error(row);
  auto found = row->step();
  if (!found) return forward_error(found);
  if (!*found) return std::optional<RunStatus>();
  return from_storage_json(std::string(row->text(0)));
}

Result<std::int64_t> StoreReader::last_run_number() {
  return state_->connection->query_integer("select coalesce(max(number), 0) from runs");
}

Result<StateCounts> StoreReader::count_states() {
  StateCounts counts;
  auto has_map = state_->connection->query_integer("select has_line_map from input");
  if (!has_map) return forward_error(has_map);
  auto counter = state_->connection->prepare(kCountStates);
  if (!counter) return forward_error(counter);
  auto invalid = state_->connection->query_integer("select count(*) from invalid_lines");
  if (!invalid) return forward_error(invalid);
  if (*has_map == 0) {
    counter->bind(1, std::int64_t{0});
    counter->bind(2, std::int64_t{INT64_MAX});
    if (auto status = add_counts(*counter, counts); !status) return forward_error(status);
    counts[ItemState::invalid] += *invalid;
    return counts;
  }
  StoredLineMap map(*state_->connection, 1);
  SeqRangeStream ranges(map);
  LineRun range;
  std::int64_t items = 0;
  for (;;) {
    auto more = ranges.next(range);
    if (!more) return forward_error(more);
    if (!*more) break;
    if (!has_seq(range.kind)) continue;
    items += as_signed(range.count);
    counter->bind_unsigned(1, range.first_seq);
    counter->bind_unsigned(2, range.first_seq + range.count - 1);
    if (auto status = add_counts(*counter, counts); !status) return forward_error(status);
  }
  counts[ItemState::pending] += items - counts.total();
  counts[ItemState::invalid] += *invalid;
  return counts;
}

Result<std::vector<ErrorTally>> StoreReader::error_tally(std::size_t limit) {
  auto rows = state_->connection->prepare(
      "select error_class, sum(n) as n, max(message) from ("
      " select i.error_class, count(*) as n, max(coalesce(i.error_message, a.error_message))"
      "  as message from items i left join attempts a on a.id = i.last_attempt"
      "  where i.state <> 3 and i.state >= 4 group by i.error_class"
      " union all select 18, count(*), max(message) from invalid_lines)"
      " where n > 0 group by error_class order by n desc, error_class limit ?1");
  if (!rows) return forward_error(rows);
  rows->bind(1, static_cast<std::int64_t>(limit));
  std::vector<ErrorTally> tally;
  for (;;) {
    auto row = rows->step();
    if (!row) return forward_error(row);
    if (!*row) return tally;
    ErrorTally entry;
    entry.error_class = to_string(static_cast<ErrorClass>(rows->integer(0)));
    entry.count = rows->integer(1);
    entry.message = truncate_chars(sanitize_for_terminal(rows->text(2)), kSampleChars);
    tally.push_back(std::move(entry));
  }
}

Status StoreReader::for_each_result(const ResultFilter& filter,
                                    const std::function<Result<bool>(const ResultRow&)>& visit) {
  // One read transaction around several statements: all of them see the same state.
  if (auto status = state_->connection->execute("begin"); !status) return status;
  Status status = [&]() -> Status {
    auto has_map = state_->connection->query_integer("select has_line_map from input");
    if (!has_map) return forward_error(has_map);
    return ResultQuery(*state_->connection, filter, visit).run(*has_map != 0);
  }();
  Status ended = state_->connection->execute("commit");
  return status ? ended : status;
}

Result<std::vector<AnsweredItem>> StoreReader::answered_items(std::optional<std::int64_t> run,
                                                              std::int64_t limit) {
  return read_answered_items(*state_->connection, run, limit);
}

Result<HistoryReader> StoreReader::history() { return HistoryReader::begin(*state_->connection); }

Result<std::optional<std::string>> StoreReader::response(std::int64_t attempt_id) {
  Statement& s = state_->response;
  s.bind(1, attempt_id);
  auto found = s.step();
  if (!found) return forward_error(found);
  if (!*found) return std::optional<std::string>();
  const auto encoding = s.integer(0) == 1 ? ResponseEncoding::zstd : ResponseEncoding::plain;
  auto response = decode_response(encoding, s.blob(1));
  s.reset();
  if (!response) {
    return failure(state_->connection->path() + ": attempt " + std::to_string(attempt_id) + ": " +
                   response.error().message);
  }
  return std::optional(std::move(*response));
}

}  // namespace llmbatch
