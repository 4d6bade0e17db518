#include "row_values.h"

#include <algorithm>
#include <chrono>

namespace llmbatch {

std::int64_t to_unix_millis(WallTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

WallTime from_unix_millis(std::int64_t millis) {
  return WallTime(std::chrono::milliseconds(millis));
}

std::optional<std::int64_t> optional_integer(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(row.integer(column));
}

std::optional<Usage> read_token_counts(const Statement& row, int first) {
  if (row.is_null(first)) return std::nullopt;
  Usage usage;
  usage.input = row.integer(first);
  usage.cached_input = row.integer(first + 1);
  usage.cache_write = row.integer(first + 2);
  usage.output = row.integer(first + 3);
  usage.reasoning = row.integer(first + 4);
  return usage;
}

Hash128 read_hash(const Statement& row, int column) {
  return hash128_from_bytes(row.blob(column)).value_or(Hash128{});
}

std::string_view HashBytes::view() const {
  return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
}

Result<std::optional<JobIdentity>> read_job(Connection& connection) {
  auto row = connection.prepare(
      "select wire_format, profile, model, prompt_template, system_template, id_rule, parameters,"
      " checks from job");
  if (!row) return forward_error(row);
  auto found = row->step();
  if (!found) return forward_error(found);
  if (!*found) return std::optional<JobIdentity>();
  JobIdentity job;
  job.wire_format = row->text(0);
  job.profile = row->text(1);
  job.model = row->text(2);
  job.prompt_template = row->text(3);
  job.system_template = row->text(4);
  job.id_rule = row->text(5);
  job.parameters = row->text(6);
  job.checks = row->text(7);
  return std::optional<JobIdentity>(std::move(job));
}

Result<JobTotals> read_totals(Connection& connection) {
  auto row = connection.prepare(
      "select attempts, retries, cached, input_tokens, cached_input_tokens, cache_write_tokens,"
      " output_tokens, reasoning_tokens, cost_pico, unpriced, estimated, cost_ceiling_pico,"
      " saved_input_tokens, saved_output_tokens, saved_pico, saved_unpriced from progress");
  if (!row) return forward_error(row);
  auto found = row->step();
  if (!found) return forward_error(found);
  JobTotals totals;
  if (!*found) return totals;
  totals.attempts = row->integer(0);
  totals.retries = row->integer(1);
  totals.cached = row->integer(2);
  totals.usage.input = row->integer(3);
  totals.usage.cached_input = row->integer(4);
  totals.usage.cache_write = row->integer(5);
  totals.usage.output = row->integer(6);
  totals.usage.reasoning = row->integer(7);
  totals.cost = Money::from_pico(row->integer(8));
  totals.unpriced = row->integer(9);
  totals.estimated = row->integer(10);
  totals.usage.estimated = totals.estimated > 0;
  totals.cost_ceiling = std::max(totals.cost, Money::from_pico(row->integer(11)));
  totals.saved.input = row->integer(12);
  totals.saved.output = row->integer(13);
  totals.saved.cost = Money::from_pico(row->integer(14));
  totals.saved.unpriced = row->integer(15);
  return totals;
}

}  // namespace llmbatch
