#include "llmbatch/store/store.h"

#include "commit_writer.h"
#include "decisions.h"
#include "open_database.h"
#include "plan_writer.h"
#include "recheck_writer.h"
#include "row_values.h"
#include "store_state.h"
#include "write_lock.h"

namespace llmbatch {
namespace {

constexpr std::string_view kInsertRun =
    "insert into runs (started_ms, command, version, pid, input_path, input_size_bytes,"
    " input_mtime_nanos, input_lines, rpm, tpm, endpoint) values (?1, ?2, ?3, ?4, ?5, ?6, ?7,"
    " coalesce(?8, (select lines from input), 0), ?9, ?10, case when ?12 then"
    " (select endpoint from runs order by number desc limit 1) else ?11 end)";

constexpr std::string_view kReplaceInput =
    "insert or replace into input values (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
    " ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)";

std::uint64_t done(const ScanCounts& counts, ItemState state) {
  return counts.done_by_state[static_cast<std::size_t>(state)];
}

Status replace_input(Connection& connection, std::int64_t run, const RunStart& start,
                     bool natural_order) {
  auto s = connection.prepare(kReplaceInput);
  if (!s) return forward_error(s);
  const InputIdentity& input = start.input;
  const ScanCounts& counts = start.counts;
  const HashBytes ends(input.ends);
  s->bind(1, run);
  s->bind(2, std::string_view(input.path));
  s->bind_unsigned(3, input.device);
  s->bind_unsigned(4, input.inode);
  s->bind_unsigned(5, input.size_bytes);
  s->bind(6, input.mtime_nanos);
  s->bind(7, input.ctime_nanos);
  s->bind_blob(8, ends.view());
  s->bind(9, std::int64_t{start.plan != nullptr});
  s->bind(10, std::int64_t{natural_order});
  s->bind_unsigned(11, counts.lines);
  s->bind_unsigned(12, counts.blank);
  s->bind_unsigned(13, counts.todo);
  s->bind_unsigned(14, counts.changed);
  s->bind_unsigned(15, counts.duplicates);
  s->bind_unsigned(16, counts.invalid);
  s->bind_unsigned(17, done(counts, ItemState::succeeded));
  s->bind_unsigned(18, done(counts, ItemState::filtered));
  s->bind_unsigned(19, done(counts, ItemState::flagged));
  s->bind_unsigned(20, done(counts, ItemState::failed));
  s->bind_unsigned(21, done(counts, ItemState::invalid));
  return s->run();
}

Result<std::int64_t> insert_run(Connection& connection, const RunStart& start) {
  auto s = connection.prepare(kInsertRun);
  if (!s) return forward_error(s);
  s->bind(1, to_unix_millis(start.started_at));
  s->bind(2, std::string_view(start.command));
  s->bind(3, std::string_view(start.version));
  s->bind(4, start.pid);
  s->bind(5, std::string_view(start.input.path));
  s->bind_unsigned(6, start.input.size_bytes);
  s->bind(7, start.input.mtime_nanos);
  if (start.keep_stored_plan) {
    s->bind_null(8);
  } else {
    s->bind_unsigned(8, start.counts.lines);
  }
  s->bind_or_null(9, start.requests_per_minute);
  s->bind_or_null(10, start.tokens_per_minute);
  const HashBytes endpoint(start.endpoint.value_or(Hash128{}));
  if (start.endpoint) {
    s->bind_blob(11, endpoint.view());
  } else {
    s->bind_null(11);
  }
  s->bind(12, std::int64_t{start.same_endpoint});
  if (auto status = s->run(); !status) return forward_error(status);
  return connection.last_insert_id();
}

Status write_job(Connection& connection, const JobIdentity& job) {
  auto s =
      connection.prepare("insert or replace into job values (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  if (!s) return forward_error(s);
  s->bind(1, std::string_view(job.wire_format));
  s->bind(2, std::string_view(job.profile));
  s->bind(3, std::string_view(job.model));
  s->bind(4, std::string_view(job.prompt_template));
  s->bind(5, std::string_view(job.system_template));
  s->bind(6, std::string_view(job.id_rule));
  s->bind(7, std::string_view(job.parameters));
  s->bind(8, std::string_view(job.checks));
  return s->run();
}

/// What one job taught of its tokens says nothing of another's.
Status forget_means_of_another_job(Connection& connection, const JobIdentity& job) {
  auto stored = read_job(connection);
  if (!stored) return forward_error(stored);
  if (!*stored || differences(**stored, job).empty()) return {};
  return connection.execute(
      "update progress set counted_input_mean = 0, reported_input_mean = 0, input_samples = 0,"
      " output_mean = 0, output_samples = 0");
}

}  // namespace

Status Store::State::write_plan(const RunStart& start, bool& natural) {
  PlanWriter plan(*connection, writer.log());
  if (auto status = plan.clear(); !status) return status;
  if (start.plan != nullptr) {
    if (auto status = plan.write_lines(*start.plan); !status) return status;
  }
  if (start.repeats != nullptr) {
    if (auto status = plan.write_repeats(*start.repeats); !status) return status;
  }
  if (start.invalid_lines != nullptr) {
    if (auto status = plan.write_invalid_lines(*start.invalid_lines); !status) return status;
  }
  natural = plan.natural_order();
  return {};
}

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}

Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const std::string& path, const std::string& command,
                                           WallTime now) {
  auto lock = WriteLock::acquire(path, command, now);
  if (!lock) return forward_error(lock);
  auto state = std::make_unique<State>(std::move(*lock));
  auto connection = open_writable_database(path);
  if (!connection) return forward_error(connection);
  state->connection = std::move(*connection);
  if (auto status = state->writer.open(*state->connection); !status) return forward_error(status);
  auto insert = state->connection->prepare(kInsertInvalidLine);
  if (!insert) return forward_error(insert);
  state->insert_invalid = std::move(*insert);
  return std::unique_ptr<Store>(new Store(std::move(state)));
}

Result<std::optional<JobIdentity>> Store::job() const { return read_job(*state_->connection); }

Status Store::set_job(const JobIdentity& job) {
  return state_->transact([&] { return write_job(*state_->connection, job); });
}

Result<AppliedDecisions> Store::apply_decisions() {
  AppliedDecisions applied;
  Status status = state_->transact([&]() -> Status {
    auto done = llmbatch::apply_decisions(*state_->connection, state_->writer.log());
    if (!done) return forward_error(done);
    applied = *done;
    return {};
  });
  if (!status) return forward_error(status);
  return applied;
}

Result<std::int64_t> Store::begin_run(const RunStart& start) {
  Status status = state_->transact([&]() -> Status {
    auto run = insert_run(*state_->connection, start);
    if (!run) return forward_error(run);
    state_->run = *run;
    state_->writer.set_run(*run);
    if (start.job != nullptr) {
      if (auto s = forget_means_of_another_job(*state_->connection, *start.job); !s) return s;
      if (auto s = write_job(*state_->connection, *start.job); !s) return s;
    }
    if (!start.keep_stored_plan) {
      bool natural = true;
      if (auto s = state_->write_plan(start, natural); !s) return s;
      auto s = replace_input(*state_->connection, *run, start, natural);
      if (!s) return s;
    }
    RunProgress progress = start.progress;
    if (start.rechecked != nullptr) {
      RecheckWriter rechecked(*state_->connection, state_->writer.log());
      if (auto s = rechecked.write(*start.rechecked, progress.items); !s) return s;
      if (progress.status) progress.status->items = progress.items;
    }
    if (auto s = state_->writer.write_progress(progress); !s) return s;
    return progress.status ? state_->writer.write_status(*progress.status) : Status{};
  });
  if (!status) return forward_error(status);
  return state_->run;
}

Status Store::commit(std::span<const ItemUpdate> updates, const RunProgress& progress) {
  return state_->transact([&]() -> Status {
    if (auto s = state_->writer.write_items(updates); !s) return s;
    if (auto s = state_->writer.write_progress(progress); !s) return s;
    return progress.status ? state_->writer.write_status(*progress.status) : Status{};
  });
}

Status Store::add_invalid_line(const InvalidLine& line) {
  return state_->transact([&] { return insert_invalid_line(state_->insert_invalid, line); });
}

Status Store::update_status(const RunStatus& status) {
  return state_->transact([&] { return state_->writer.write_status(status); });
}

const JobTotals& Store::totals() const { return state_->writer.totals(); }

Status Store::finish_run(const RunEnd& end) {
  return state_->transact([&]() -> Status {
    auto s = state_->connection->prepare(
        "update runs set finished_ms = ?2, end_reason = ?3, exit_code = ?4, finished_items = ?5,"
        " attempts = ?6, cost_pico = ?7 where number = ?1");
    if (!s) return forward_error(s);
    const JobTotals& totals = state_->writer.totals();
    s->bind(1, state_->run);
    s->bind(2, to_unix_millis(end.finished_at));
    s->bind(3, std::string_view(end.reason));
    s->bind(4, std::int64_t{end.exit_code});
    s->bind(5, end.status.finished_this_run);
    s->bind(6, totals.attempts);
    if (totals.unpriced == 0) {
      s->bind(7, totals.cost.pico());
    } else {
      s->bind_null(7);
    }
    if (auto status = s->run(); !status) return status;
    if (end.progress) {
      if (auto status = state_->writer.write_progress(*end.progress); !status) return status;
    }
    return state_->writer.write_status(end.status);
  });
}

const std::string& Store::path() const { return state_->connection->path(); }

}  // namespace llmbatch
