#include "commit_writer.h"

#include <algorithm>
#include <chrono>

#include "row_values.h"

namespace llmbatch {
namespace {

constexpr std::string_view kInsertAttempt =
    "insert into attempts (seq, run, number, started_ms, latency_us, http_status, error_class,"
    " transmissions, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens,"
    " reasoning_tokens, usage_estimated, reported_cost_pico, cost_pico, model, finish_reason,"
    " request_id, error_code, error_message, response_encoding, response, batch) values"
    " (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24)";

// An answer from the cache has no attempt of its own; any other update without one leaves the last
// attempt in place. Costs add up over all attempts.
constexpr std::string_view kUpsertItem =
    "insert into items (seq, state, error_class, http_status, attempts, last_attempt, cost_pico,"
    " cached, output_is_json, finished_ms, line, offset_bytes, length_bytes, id_hash, request_hash,"
    " id, error_message, output, input) values"
    " (?1,?2,?3,?4,?5,coalesce(?6, (select last_attempt from items where seq = ?20)),?7,?8,?9,?10,"
    " ?11,?12,?13,?14,?15,?16,?17,?18,?19)"
    " on conflict (seq) do update set state = excluded.state, error_class = excluded.error_class,"
    " http_status = excluded.http_status, attempts = excluded.attempts,"
    " last_attempt = case when excluded.cached then excluded.last_attempt"
    "   else coalesce(excluded.last_attempt, last_attempt) end,"
    " cost_pico = case when excluded.cost_pico is null then cost_pico"
    "   else coalesce(cost_pico, 0) + excluded.cost_pico end,"
    " cached = excluded.cached, output_is_json = excluded.output_is_json,"
    " finished_ms = excluded.finished_ms, line = excluded.line,"
    " offset_bytes = excluded.offset_bytes, length_bytes = excluded.length_bytes,"
    " request_hash = excluded.request_hash, error_message = excluded.error_message,"
    " output = excluded.output, input = coalesce(excluded.input, input)";

constexpr std::string_view kUpdateProgress =
    "update progress set done_below_line = ?1, pending = ?2, in_flight = ?3, submitted = ?4,"
    " succeeded = ?5, filtered = ?6, flagged = ?7, failed = ?8, invalid = ?9, attempts = ?10,"
    " retries = ?11, cached = ?12, input_tokens = ?13, cached_input_tokens = ?14,"
    " cache_write_tokens = ?15, output_tokens = ?16, reasoning_tokens = ?17, cost_pico = ?18,"
    " unpriced = ?19, limiter_state = coalesce(?20, limiter_state), estimated = ?21,"
    " cost_ceiling_pico = ?22,"
    " counted_input_mean = coalesce(?41, counted_input_mean),"
    " reported_input_mean = coalesce(?42, reported_input_mean),"
    " input_samples = coalesce(?43, input_samples), output_mean = coalesce(?44, output_mean),"
    " output_samples = coalesce(?45, output_samples),"
    " saved_input_tokens = ?51, saved_output_tokens = ?52, saved_pico = ?53, saved_unpriced = ?54";

constexpr std::string_view kReplaceStatus =
    "insert or replace into status (id, updated_ms, json) values (1, ?1, ?2)";

/// Prepares into `statement`.
Status prepare(Connection& connection, std::string_view sql, Statement& statement) {
  auto prepared = connection.prepare(sql);
  if (!prepared) return forward_error(prepared);
  statement = std::move(*prepared);
  return {};
}

void bind_usage(Statement& statement, int first, const std::optional<Usage>& usage) {
  if (!usage) {
    for (int i = 0; i < 7; ++i) statement.bind_null(first + i);
    return;
  }
  statement.bind(first, usage->input);
  statement.bind(first + 1, usage->cached_input);
  statement.bind(first + 2, usage->cache_write);
  statement.bind(first + 3, usage->output);
  statement.bind(first + 4, usage->reasoning);
  statement.bind(first + 5, std::int64_t{usage->estimated});
  if (usage->reported_cost) {
    statement.bind(first + 6, usage->reported_cost->pico());
  } else {
    statement.bind_null(first + 6);
  }
}

void bind_status_code(Statement& statement, int parameter, int http_status) {
  if (http_status != 0) {
    statement.bind(parameter, std::int64_t{http_status});
  } else {
    statement.bind_null(parameter);
  }
}

void bind_usage_means(Statement& statement, int first, const std::optional<UsageMeans>& means) {
  if (!means) {
    for (int i = 0; i < 5; ++i) statement.bind_null(first + i);
    return;
  }
  statement.bind(first, means->counted_input);
  statement.bind(first + 1, means->reported_input);
  statement.bind(first + 2, means->input_samples);
  statement.bind(first + 3, means->output);
  statement.bind(first + 4, means->output_samples);
}

std::optional<std::int64_t> pico(const std::optional<Money>& money) {
  return money ? std::optional(money->pico()) : std::nullopt;
}

}  // namespace

Status CommitWriter::open(Connection& connection) {
  connection_ = &connection;
  if (auto s = prepare(connection, kInsertAttempt, insert_attempt_); !s) return s;
  if (auto s = prepare(connection, kUpsertItem, upsert_item_); !s) return s;
  if (auto s = prepare(connection, kUpdateProgress, update_progress_); !s) return s;
  if (auto s = prepare(connection, kReplaceStatus, replace_status_); !s) return s;
  if (auto s = prepare(connection, "delete from submissions where seq = ?1", end_submission_); !s) {
    return s;
  }
  auto submissions = connection.query_integer("select exists (select 1 from submissions)");
  if (!submissions) return forward_error(submissions);
  has_submissions_ = *submissions != 0;
  auto totals = read_totals(connection);
  if (!totals) return forward_error(totals);
  totals_ = *totals;
  auto log = ItemLogWriter::open(connection);
  if (!log) return forward_error(log);
  log_.emplace(std::move(*log));
  return {};
}

Status CommitWriter::write_items(std::span<const ItemUpdate> updates) {
  records_.clear();
  for (const ItemUpdate& update : updates) {
    std::int64_t attempt_id = 0;
    const AttemptRecord* attempt = update.attempt ? &*update.attempt : nullptr;
    if (update.reused && update.reused->foreign) attempt = &*update.reused->foreign;
    if (attempt != nullptr) {
      auto id = insert_attempt(update.seq, *attempt);
      if (!id) return forward_error(id);
      attempt_id = *id;
    }
    if (auto status = upsert_item(update, attempt_id); !status) return status;
    if (has_submissions_ && is_final(update.state)) {
      end_submission_.bind_unsigned(1, update.seq);
      if (auto status = end_submission_.run(); !status) return status;
    }
    records_.add({update.id_hash, update.request_hash, update.seq, update.state});
    count(update);
  }
  return log_->append(records_);
}

Result<std::int64_t> CommitWriter::insert_attempt(std::uint64_t seq, const AttemptRecord& attempt) {
  Statement& s = insert_attempt_;
  s.bind_unsigned(1, seq);
  s.bind(2, run_);
  s.bind(3, std::int64_t{attempt.number});
  s.bind(4, to_unix_millis(attempt.started_at));
  s.bind(5, std::chrono::duration_cast<std::chrono::microseconds>(attempt.latency).count());
  bind_status_code(s, 6, attempt.http_status);
  s.bind(7, static_cast<std::int64_t>(attempt.error));
  s.bind(8, std::int64_t{attempt.transmissions});
  bind_usage(s, 9, attempt.usage);
  s.bind_or_null(16, pico(attempt.cost));
  s.bind_text_or_null(17, attempt.model);
  s.bind_text_or_null(18, attempt.finish_reason);
  s.bind_text_or_null(19, attempt.request_id);
  s.bind_text_or_null(20, attempt.error_code);
  s.bind_text_or_null(21, attempt.error_message);
  const EncodedResponse response = encoder_.encode(attempt.response);
  s.bind(22, static_cast<std::int64_t>(response.encoding));
  if (response.bytes.empty()) {
    s.bind_null(23);
  } else {
    s.bind_blob(23, response.bytes);
  }
  s.bind_or_null(24, attempt.batch != 0 ? std::optional(attempt.batch) : std::nullopt);
  if (auto status = s.run(); !status) return forward_error(status);
  return connection_->last_insert_id();
}

Status CommitWriter::upsert_item(const ItemUpdate& update, std::int64_t attempt_id) {
  Statement& s = upsert_item_;
  const HashBytes id_hash(update.id_hash);
  const HashBytes request_hash(update.request_hash);
  s.bind_unsigned(1, update.seq);
  s.bind(2, static_cast<std::int64_t>(update.state));
  s.bind(3, static_cast<std::int64_t>(update.error));
  const ReusedAnswer* reused = update.reused.get();
  if (reused != nullptr && attempt_id == 0) attempt_id = reused->attempt_id;
  bind_status_code(s, 4, reused != nullptr ? reused->http_status : update.http_status);
  s.bind(5, std::int64_t{update.attempts});
  s.bind_or_null(6, attempt_id != 0 ? std::optional(attempt_id) : std::nullopt);
  if (reused != nullptr) {
    s.bind(7, std::int64_t{0});
  } else {
    s.bind_or_null(7, update.attempt ? pico(update.attempt->cost) : std::nullopt);
  }
  s.bind(8, std::int64_t{update.cached});
  s.bind(9, std::int64_t{reused != nullptr ? reused->output_is_json : update.output_is_json});
  s.bind_or_null(10, is_final(update.state) ? std::optional(to_unix_millis(update.finished_at))
                                            : std::nullopt);
  s.bind_unsigned(11, update.place.line);
  s.bind_unsigned(12, update.place.offset_bytes);
  s.bind(13, std::int64_t{update.place.length_bytes});
  s.bind_blob(14, id_hash.view());
  s.bind_blob(15, request_hash.view());
  s.bind(16, std::string_view(update.id));
  const bool repeats_attempt =
      update.attempt && update.attempt->error_message == update.error_message;
  if (repeats_attempt) {
    s.bind_null(17);
  } else {
    s.bind(17, std::string_view(update.error_message));
  }
  if (reused != nullptr || update.has_output) {
    s.bind(18, std::string_view(reused != nullptr ? reused->output : update.output));
  } else {
    s.bind_null(18);
  }
  s.bind_text_or_null(19, update.input_text);
  s.bind_unsigned(20, reused != nullptr ? reused->seq : 0);
  return s.run();
}

void CommitWriter::count(const ItemUpdate& update) {
  if (update.cached) ++totals_.cached;
  if (update.reused) totals_.saved.add(update.reused->usage, update.reused->cost);
  if (!update.attempt) return;
  const AttemptRecord& attempt = *update.attempt;
  ++totals_.attempts;
  if (attempt.number > 1) ++totals_.retries;
  if (attempt.cost) totals_.cost += *attempt.cost;
  if (!attempt.usage) return;
  if (!attempt.cost) ++totals_.unpriced;
  if (attempt.usage->estimated) ++totals_.estimated;
  totals_.usage.input += attempt.usage->input;
  totals_.usage.cached_input += attempt.usage->cached_input;
  totals_.usage.cache_write += attempt.usage->cache_write;
  totals_.usage.output += attempt.usage->output;
  totals_.usage.reasoning += attempt.usage->reasoning;
}

Status CommitWriter::write_progress(const RunProgress& progress) {
  Statement& s = update_progress_;
  s.bind_unsigned(1, progress.done_below_line);
  for (int state = 0; state < kItemStateCount; ++state) {
    s.bind(2 + state, progress.items.by_state[static_cast<std::size_t>(state)]);
  }
  s.bind(10, totals_.attempts);
  s.bind(11, totals_.retries);
  s.bind(12, totals_.cached);
  s.bind(13, totals_.usage.input);
  s.bind(14, totals_.usage.cached_input);
  s.bind(15, totals_.usage.cache_write);
  s.bind(16, totals_.usage.output);
  s.bind(17, totals_.usage.reasoning);
  s.bind(18, totals_.cost.pico());
  s.bind(19, totals_.unpriced);
  if (progress.limiter_state.empty()) {
    s.bind_null(20);
  } else {
    s.bind_blob(20, progress.limiter_state);
  }
  s.bind(21, totals_.estimated);
  // Answers of this commit may have come after the state was described.
  s.bind(22, std::max(progress.cost_ceiling, totals_.cost).pico());
  bind_usage_means(s, 41, progress.usage_means);
  s.bind(51, totals_.saved.input);
  s.bind(52, totals_.saved.output);
  s.bind(53, totals_.saved.cost.pico());
  s.bind(54, totals_.saved.unpriced);
  return s.run();
}

Status CommitWriter::write_status(const RunStatus& status) {
  const std::string json = to_storage_json(status);
  replace_status_.bind(1, status.updated_at ? to_unix_millis(*status.updated_at) : 0);
  replace_status_.bind(2, std::string_view(json));
  return replace_status_.run();
}

}  // namespace llmbatch
