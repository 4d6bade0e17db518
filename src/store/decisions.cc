#include "decisions.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <vector>

#include "llmbatch/model/verdict.h"
#include "packed_records.h"
#include "row_values.h"

namespace llmbatch {
namespace {

// What `applied` says of a decision.
constexpr std::int64_t kDone = 1;
constexpr std::int64_t kLapsed = 2;

/// A decision lapses when a later verdict stands, or when the item's answer is another one now.
constexpr std::string_view kSelectWaiting =
    "select v.id, v.seq, v.verdict, i.state, i.id_hash, i.request_hash,"
    " i.request_hash = v.request_hash and coalesce(i.last_attempt, 0) = v.attempt"
    " and i.state between 4 and 6 and (v.verdict = 5 or i.output is not null)"
    " and not exists (select 1 from verdicts w where w.seq = v.seq and w.id > v.id)"
    " from verdicts v join items i on i.seq = v.seq where v.applied = 0 order by v.seq, v.id";

constexpr std::string_view kRequeue =
    "update items set state = 0, error_class = 0, http_status = null, error_message = null,"
    " output = null, output_is_json = 0, cached = 0, finished_ms = null where seq = ?1";

constexpr std::string_view kAccept =
    "update items set state = 3, error_class = 0, error_message = null where seq = ?1";

struct Change {
  std::int64_t verdict_id = 0;
  IndexRecord item;  ///< with the state it had
  Verdict verdict = Verdict::accept;
  bool valid = false;
  std::uint64_t line = 0;  ///< 0: not in the current input
};

ItemState new_state(const Change& change) {
  return change.verdict == Verdict::requeue ? ItemState::pending : ItemState::succeeded;
}

Result<std::vector<Change>> read_waiting(Connection& connection) {
  auto rows = connection.prepare(kSelectWaiting);
  if (!rows) return forward_error(rows);
  std::vector<Change> changes;
  for (;;) {
    auto row = rows->step();
    if (!row) return forward_error(row);
    if (!*row) return changes;
    Change change;
    change.verdict_id = rows->integer(0);
    change.item.seq = rows->unsigned_integer(1);
    change.verdict = static_cast<Verdict>(rows->integer(2));
    change.item.state = static_cast<ItemState>(rows->integer(3));
    change.item.id_hash = read_hash(*rows, 4);
    change.item.request_hash = read_hash(*rows, 5);
    change.valid = rows->integer(6) != 0;
    changes.push_back(change);
  }
}

/// Finds the lines of the items, and turns those that are to be run again from done into
/// todo_again.
class LineMapChange {
 public:
  LineMapChange(Connection& connection, std::vector<Change>& changes)
      : connection_(&connection), changes_(&changes) {}

  Status run() {
    auto rows = connection_->prepare(
        "select first_line, data from line_map where first_line > ?1 order by first_line limit 1");
    if (!rows) return forward_error(rows);
    auto update = connection_->prepare("update line_map set data = ?2 where first_line = ?1");
    if (!update) return forward_error(update);
    std::uint64_t last = 0;
    for (;;) {
      rows->bind_unsigned(1, last);
      auto row = rows->step();
      if (!row) return forward_error(row);
      if (!*row) return {};
      last = rows->unsigned_integer(0);
      const std::string data(rows->blob(1));
      rows->reset();
      changed_ = false;
      packer_ = LineRunPacker(last);
      LineRunUnpacker unpacker(last, data);
      LineRun run;
      while (unpacker.next(run)) divide(run);
      if (unpacker.damaged()) return failure(connection_->path() + ": the line map is damaged");
      if (!changed_) continue;
      update->bind_unsigned(1, last);
      update->bind_blob(2, packer_.bytes());
      if (auto status = update->run(); !status) return status;
    }
  }

 private:
  void divide(LineRun rest) {
    const auto seq_below = [](const Change& change, std::uint64_t seq) {
      return change.item.seq < seq;
    };
    if (!has_seq(rest.kind)) return packer_.add(rest);
    auto change = std::lower_bound(changes_->begin(), changes_->end(), rest.first_seq, seq_below);
    const std::uint64_t end = rest.first_seq + rest.count;
    for (; change != changes_->end() && change->item.seq < end; ++change) {
      if (!change->valid) continue;
      change->line = rest.first_line + (change->item.seq - rest.first_seq);
      if (rest.kind != LineKind::done || change->verdict != Verdict::requeue) continue;
      LineRun before = rest;
      before.count = change->item.seq - rest.first_seq;
      if (before.count > 0) packer_.add(before);
      packer_.add({change->line, 1, LineKind::todo_again, change->item.seq});
      rest.first_line = change->line + 1;
      rest.first_seq = change->item.seq + 1;
      rest.count = end - rest.first_seq;
      changed_ = true;
    }
    if (rest.count > 0) packer_.add(rest);
  }

  Connection* connection_;
  std::vector<Change>* changes_;
  LineRunPacker packer_;
  bool changed_ = false;
};

Status mark(Connection& connection, const std::vector<Change>& changes) {
  auto update = connection.prepare("update verdicts set applied = ?2 where id = ?1");
  if (!update) return forward_error(update);
  for (const Change& change : changes) {
    update->bind(1, change.verdict_id);
    update->bind(2, change.valid ? kDone : kLapsed);
    if (auto status = update->run(); !status) return status;
  }
  return {};
}

Status change_items(Connection& connection, ItemLogWriter& log,
                    const std::vector<Change>& changes) {
  auto requeue = connection.prepare(kRequeue);
  if (!requeue) return forward_error(requeue);
  auto accept = connection.prepare(kAccept);
  if (!accept) return forward_error(accept);
  IndexRecordPacker records;
  for (const Change& change : changes) {
    Statement& update = change.verdict == Verdict::requeue ? *requeue : *accept;
    update.bind_unsigned(1, change.item.seq);
    if (auto status = update.run(); !status) return status;
    IndexRecord record = change.item;
    record.state = new_state(change);
    records.add(record);
  }
  return log.append(records);
}

Status change_progress(Connection& connection, const std::vector<Change>& changes, bool has_map) {
  std::array<std::int64_t, kItemStateCount> difference{};
  std::uint64_t first_line = std::numeric_limits<std::int64_t>::max();
  for (const Change& change : changes) {
    if (has_map && change.line == 0) continue;
    --difference[static_cast<std::size_t>(change.item.state)];
    ++difference[static_cast<std::size_t>(new_state(change))];
    if (change.verdict == Verdict::requeue && change.line != 0) {
      first_line = std::min(first_line, change.line);
    }
  }
  auto update = connection.prepare(
      "update progress set pending = pending + ?1, succeeded = succeeded + ?2,"
      " filtered = filtered + ?3, flagged = flagged + ?4, failed = failed + ?5,"
      " done_below_line = min(done_below_line, ?6)");
  if (!update) return forward_error(update);
  int parameter = 1;
  for (const ItemState state : {ItemState::pending, ItemState::succeeded, ItemState::filtered,
                                ItemState::flagged, ItemState::failed}) {
    update->bind(parameter++, difference[static_cast<std::size_t>(state)]);
  }
  update->bind_unsigned(6, first_line);
  return update->run();
}

}  // namespace

Result<AppliedDecisions> apply_decisions(Connection& connection, ItemLogWriter& log) {
  auto read = read_waiting(connection);
  if (!read) return forward_error(read);
  std::vector<Change> changes = std::move(*read);
  AppliedDecisions applied;
  if (changes.empty()) return applied;
  auto has_map = connection.query_integer("select coalesce(max(has_line_map), 0) from input");
  if (!has_map) return forward_error(has_map);
  if (auto status = LineMapChange(connection, changes).run(); !status) return forward_error(status);
  for (Change& change : changes) {
    // What left the input would never be run again, and its result would be gone.
    const bool gone = *has_map != 0 && change.line == 0 && change.verdict == Verdict::requeue;
    change.valid = change.valid && !gone;
    ++(!change.valid                        ? applied.lapsed
       : change.verdict == Verdict::requeue ? applied.requeued
                                            : applied.accepted);
  }
  if (auto status = mark(connection, changes); !status) return forward_error(status);
  std::erase_if(changes, [](const Change& change) { return !change.valid; });
  if (auto status = change_items(connection, log, changes); !status) return forward_error(status);
  auto counted = change_progress(connection, changes, *has_map != 0);
  return counted ? Result<AppliedDecisions>(applied) : forward_error(counted);
}

}  // namespace llmbatch
