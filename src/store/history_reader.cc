#include "llmbatch/store/history_reader.h"

#include <algorithm>
#include <utility>

#include "connection.h"
#include "response_codec.h"
#include "row_values.h"

namespace llmbatch {
namespace {

/// Texts are cut as blobs: cut as text they would end at a NUL.
constexpr std::string_view kSelectSamples =
    "select i.id, i.line, i.http_status, i.attempts, coalesce(i.error_message, a.error_message),"
    " a.finish_reason, substr(cast(i.output as blob), 1, 8000), substr(cast(i.input as blob), 1, "
    "8000),"
    " case when i.output is null and length(a.response) < 65536 then a.response_encoding end,"
    " a.response, i.offset_bytes, i.length_bytes, i.request_hash from items i left join attempts a "
    "on a.id = i.last_attempt"
    " where i.state = ?1 and i.error_class = ?2 order by i.seq limit ?3";
constexpr std::size_t kMostResponseBytes = 8000;

std::optional<std::string> optional_text(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(std::string(row.text(column)));
}

/// The raw answer, where it is small and readable.
std::optional<std::string> read_response(const Statement& row, int encoding_column) {
  if (row.is_null(encoding_column) || row.is_null(encoding_column + 1)) return std::nullopt;
  const auto encoding =
      row.integer(encoding_column) == 1 ? ResponseEncoding::zstd : ResponseEncoding::plain;
  auto response = decode_response(encoding, row.blob(encoding_column + 1));
  if (!response) return std::nullopt;
  if (response->size() > kMostResponseBytes) response->resize(kMostResponseBytes);
  return std::move(*response);
}

}  // namespace

Result<HistoryReader> HistoryReader::begin(Connection& connection) {
  if (auto status = connection.execute("begin"); !status) return forward_error(status);
  return HistoryReader(connection);
}

HistoryReader::HistoryReader(HistoryReader&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)) {}

HistoryReader::~HistoryReader() {
  if (connection_ != nullptr) static_cast<void>(connection_->execute("commit"));
}

Result<std::int64_t> HistoryReader::run_count() {
  return connection_->query_integer("select count(*) from runs");
}

Result<std::int64_t> HistoryReader::highest_request_limit() {
  return connection_->query_integer("select coalesce(max(rpm), 0) from runs");
}

Result<bool> HistoryReader::has_verdicts() {
  const auto any = connection_->query_integer("select exists (select 1 from verdicts)");
  if (!any) return forward_error(any);
  return *any != 0;
}

Result<std::vector<RunRecord>> HistoryReader::last_runs(std::size_t limit) {
  auto rows = connection_->prepare(
      "select number, started_ms, finished_ms, command, end_reason, exit_code, finished_items, rpm,"
      " tpm from runs order by number desc limit ?1");
  if (!rows) return forward_error(rows);
  rows->bind_unsigned(1, limit);
  std::vector<RunRecord> runs;
  for (;;) {
    auto row = rows->step();
    if (!row) return forward_error(row);
    if (!*row) break;
    RunRecord run;
    run.number = rows->integer(0);
    run.started_at = from_unix_millis(rows->integer(1));
    if (auto millis = optional_integer(*rows, 2)) run.finished_at = from_unix_millis(*millis);
    run.command = rows->text(3);
    run.end_reason = rows->text(4);
    run.exit_code = optional_integer(*rows, 5);
    run.finished_items = optional_integer(*rows, 6);
    run.requests_per_minute = optional_integer(*rows, 7);
    run.tokens_per_minute = optional_integer(*rows, 8);
    runs.push_back(std::move(run));
  }
  std::reverse(runs.begin(), runs.end());
  return runs;
}

Status HistoryReader::for_each_attempt(const std::function<void(const AttemptFacts&)>& visit) {
  auto rows = connection_->prepare(
      "select run, number, started_ms, latency_us, http_status, error_class, input_tokens,"
      " cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost_pico, model,"
      " case when error_class <> 0 then error_message end, batch from attempts where number > 0 "
      "order by "
      "id");
  if (!rows) return forward_error(rows);
  AttemptFacts attempt;
  for (;;) {
    auto row = rows->step();
    if (!row) return forward_error(row);
    if (!*row) return {};
    attempt.run = rows->integer(0);
    attempt.number = rows->integer(1);
    attempt.started_ms = rows->integer(2);
    attempt.latency_us = rows->integer(3);
    attempt.http_status = static_cast<int>(rows->integer(4));
    attempt.error = static_cast<ErrorClass>(rows->integer(5));
    attempt.usage = read_token_counts(*rows, 6);
    attempt.cost.reset();
    if (auto pico = optional_integer(*rows, 11)) attempt.cost = Money::from_pico(*pico);
    attempt.model = rows->text(12);
    attempt.error_message = rows->text(13);
    attempt.batch = rows->integer(14);
    visit(attempt);
  }
}

Status HistoryReader::for_each_item(const std::function<void(const ItemFacts&)>& visit) {
  const auto batches = connection_->query_integer("select exists (select 1 from batches)");
  if (!batches) return forward_error(batches);
  // The look at each last attempt is spared those who have no batches.
  auto rows = connection_->prepare(
      *batches != 0 ? "select state, i.error_class, attempts, cached, finished_ms,"
                      " a.batch is not null from items i left join attempts a"
                      " on a.id = i.last_attempt order by i.seq"
                    : "select state, error_class, attempts, cached, finished_ms, 0 from items"
                      " order by seq");
  if (!rows) return forward_error(rows);
  ItemFacts item;
  for (;;) {
    auto row = rows->step();
    if (!row) return forward_error(row);
    if (!*row) return {};
    item.state = static_cast<ItemState>(rows->integer(0));
    item.error = static_cast<ErrorClass>(rows->integer(1));
    item.attempts = rows->integer(2);
    item.cached = rows->integer(3) != 0;
    item.finished_ms = optional_integer(*rows, 4);
    item.in_batch = rows->integer(5) != 0;
    visit(item);
  }
}

Status HistoryReader::add_samples(ItemState state, std::int64_t error, std::size_t limit,
                                  std::vector<ProblemSample>& samples) {
  auto rows = connection_->prepare(kSelectSamples);
  if (!rows) return forward_error(rows);
  rows->bind(1, static_cast<std::int64_t>(state));
  rows->bind(2, error);
  rows->bind_unsigned(3, limit);
  for (;;) {
    auto row = rows->step();
    if (!row) return forward_error(row);
    if (!*row) return {};
    ProblemSample sample;
    sample.state = state;
    sample.error = static_cast<ErrorClass>(error);
    sample.id = rows->text(0);
    sample.place = {rows->unsigned_integer(1), rows->unsigned_integer(10),
                    static_cast<std::uint32_t>(rows->integer(11))};
    sample.request_hash = read_hash(*rows, 12);
    sample.http_status = static_cast<int>(rows->integer(2));
    sample.attempts = rows->integer(3);
    sample.message = rows->text(4);
    sample.finish_reason = rows->text(5);
    sample.output = optional_text(*rows, 6);
    sample.input = optional_text(*rows, 7);
    sample.response = read_response(*rows, 8);
    samples.push_back(std::move(sample));
  }
}

Status HistoryReader::add_invalid_lines(std::size_t limit, std::vector<ProblemSample>& samples) {
  auto rows = connection_->prepare(
      "select line, id, message, substr(content, 1, 8000) from invalid_lines order by line limit "
      "?1");
  if (!rows) return forward_error(rows);
  rows->bind_unsigned(1, limit);
  for (;;) {
    auto row = rows->step();
    if (!row) return forward_error(row);
    if (!*row) return {};
    ProblemSample sample;
    sample.state = ItemState::invalid;
    sample.error = ErrorClass::invalid_input;
    sample.place.line = rows->unsigned_integer(0);
    sample.has_id = !rows->is_null(1);
    sample.id = rows->text(1);
    sample.message = rows->text(2);
    sample.input = std::string(rows->blob(3));
    samples.push_back(std::move(sample));
  }
}

Result<std::vector<ProblemSample>> HistoryReader::problem_samples(std::size_t per_kind,
                                                                  std::size_t total) {
  auto kinds = connection_->prepare(
      "select state, error_class from items where state <> 3 and state >= 4"
      " group by state, error_class order by count(*) desc, state, error_class");
  if (!kinds) return forward_error(kinds);
  std::vector<ProblemSample> samples;
  for (;;) {
    auto row = kinds->step();
    if (!row) return forward_error(row);
    if (!*row || samples.size() >= total) break;
    const std::size_t room = std::min(per_kind, total - samples.size());
    const auto state = static_cast<ItemState>(kinds->integer(0));
    if (auto added = add_samples(state, kinds->integer(1), room, samples); !added) {
      return forward_error(added);
    }
  }
  const std::size_t room = std::min(per_kind, total - samples.size());
  if (auto added = add_invalid_lines(room, samples); !added) return forward_error(added);
  return samples;
}

}  // namespace llmbatch
