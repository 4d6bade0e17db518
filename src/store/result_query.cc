#include "result_query.h"

#include <algorithm>
#include <limits>

#include "row_values.h"

namespace llmbatch {
namespace {

constexpr std::string_view kSelectItems =
    "select i.seq, i.state, i.error_class, i.http_status, i.attempts, i.last_attempt, i.cost_pico,"
    " i.cached, i.output_is_json, i.finished_ms, i.line, i.offset_bytes, i.length_bytes,"
    " i.request_hash, i.id, coalesce(i.error_message, a.error_message), i.output, i.input,"
    " a.latency_us, a.input_tokens, a.cached_input_tokens, a.cache_write_tokens, a.output_tokens,"
    " a.reasoning_tokens, a.usage_estimated, a.reported_cost_pico, a.model, a.finish_reason,"
    " a.request_id, a.batch"
    " from items i left join attempts a on a.id = i.last_attempt"
    " where i.seq between ?1 and ?2 and (?3 >> i.state) & 1 order by i.seq";

constexpr std::string_view kSelectInvalidLines =
    "select line, offset_bytes, id, message, content from invalid_lines"
    " where line between ?1 and ?2 order by line";

std::int64_t bit(ItemState state) { return std::int64_t{1} << static_cast<unsigned>(state); }

/// All of it: the counts, and the two columns behind them.
std::optional<Usage> read_usage(const Statement& row, int first) {
  std::optional<Usage> usage = read_token_counts(row, first);
  if (!usage) return usage;
  usage->estimated = row.integer(first + 5) != 0;
  if (auto pico = optional_integer(row, first + 6)) usage->reported_cost = Money::from_pico(*pico);
  return usage;
}

void assign(std::optional<std::string>& target, const Statement& row, int column) {
  if (row.is_null(column)) {
    target.reset();
  } else {
    target.emplace(row.text(column));
  }
}

}  // namespace

ResultQuery::ResultQuery(Connection& connection, const ResultFilter& filter, const Visit& visit)
    : connection_(&connection), filter_(&filter), visit_(&visit) {
  for (const ItemState state : filter.states) state_mask_ |= bit(state);
  if (!filter.states.empty()) return;
  for (int number = 0; number < kItemStateCount; ++number) {
    const auto state = static_cast<ItemState>(number);
    if (is_final(state)) state_mask_ |= bit(state);
  }
}

Status ResultQuery::prepare() {
  auto items = connection_->prepare(kSelectItems);
  if (!items) return forward_error(items);
  items_ = std::move(*items);
  auto invalid_lines = connection_->prepare(kSelectInvalidLines);
  if (!invalid_lines) return forward_error(invalid_lines);
  invalid_lines_ = std::move(*invalid_lines);
  auto max_seq = connection_->query_integer("select coalesce(max(seq), 0) from items");
  if (!max_seq) return forward_error(max_seq);
  max_seq_ = static_cast<std::uint64_t>(*max_seq);
  return {};
}

Status ResultQuery::run(bool has_line_map) {
  if (auto status = prepare(); !status) return status;
  if (has_line_map) {
    auto more = visit_line_map();
    if (!more) return forward_error(more);
    if (!*more || !filter_->removed) return {};
    auto removed = visit_removed();
    return removed ? Status{} : forward_error(removed);
  }
  LineRun all;
  all.count = max_seq_ + 1;
  all.kind = LineKind::done;
  all.first_line = 0;
  auto more = visit_items(all, true);
  if (!more) return forward_error(more);
  if (!*more) return {};
  constexpr std::uint64_t kLastLine = std::numeric_limits<std::int64_t>::max();
  auto lines = visit_invalid_lines(0, kLastLine);
  return lines ? Status{} : forward_error(lines);
}

Status ResultQuery::run_one(std::uint64_t seq, std::uint64_t line) {
  if (auto status = prepare(); !status) return status;
  auto visited = visit_items({line, 1, LineKind::done, seq}, true);
  return visited ? Status{} : forward_error(visited);
}

Result<bool> ResultQuery::visit_line_map() {
  if (filter_->removed) seen_.assign(max_seq_ + 1, false);
  StoredLineMap map(*connection_, 1);
  SeqRangeStream ranges(map);
  LineRun range;
  for (;;) {
    auto found = ranges.next(range);
    if (!found) return found;
    if (!*found) return true;
    if (has_seq(range.kind)) remember(range);
    auto more = has_seq(range.kind)
                    ? visit_items(range, true)
                    : visit_invalid_lines(range.first_line, range.first_line + range.count - 1);
    if (!more || !*more) return more;
  }
}

void ResultQuery::remember(const LineRun& range) {
  const std::uint64_t first = std::min<std::uint64_t>(range.first_seq, seen_.size());
  const std::uint64_t end = std::min<std::uint64_t>(range.first_seq + range.count, seen_.size());
  std::fill(seen_.begin() + as_signed(first), seen_.begin() + as_signed(end), true);
}

Result<bool> ResultQuery::visit_removed() {
  auto unseen = seen_.begin();
  for (;;) {
    unseen = std::find(unseen, seen_.end(), false);
    if (unseen == seen_.end()) return true;
    const auto end = std::find(unseen, seen_.end(), true);
    LineRun range;
    range.first_seq = static_cast<std::uint64_t>(unseen - seen_.begin());
    range.count = static_cast<std::uint64_t>(end - unseen);
    auto more = visit_items(range, false);
    if (!more || !*more) return more;
    unseen = end;
  }
}

Result<bool> ResultQuery::visit_items(const LineRun& range, bool in_input) {
  items_.bind_unsigned(1, range.first_seq);
  items_.bind_unsigned(2, range.first_seq + range.count - 1);
  items_.bind(3, state_mask_);
  for (;;) {
    auto found = items_.step();
    if (!found) return found;
    if (!*found) return true;
    read_item(range, in_input);
    auto more = (*visit_)(row_);
    if (!more || !*more) {
      items_.reset();
      return more;
    }
  }
}

void ResultQuery::read_item(const LineRun& range, bool in_input) {
  ItemResult& result = row_.result;
  result.seq = items_.unsigned_integer(0);
  result.state = static_cast<ItemState>(items_.integer(1));
  result.error = static_cast<ErrorClass>(items_.integer(2));
  result.http_status = static_cast<int>(items_.integer(3));
  result.attempts = static_cast<std::uint32_t>(items_.integer(4));
  row_.attempt_id = items_.integer(5);
  result.cost.reset();
  if (auto pico = optional_integer(items_, 6)) result.cost = Money::from_pico(*pico);
  result.cached = items_.integer(7) != 0;
  result.output_is_json = items_.integer(8) != 0;
  result.finished_at.reset();
  if (auto millis = optional_integer(items_, 9)) result.finished_at = from_unix_millis(*millis);
  result.place = {items_.unsigned_integer(10), items_.unsigned_integer(11),
                  static_cast<std::uint32_t>(items_.integer(12))};
  // Rows keep the place of their last dispatch; the line map knows where the line stands now.
  const std::uint64_t line = range.first_line + (result.seq - range.first_seq);
  if (!in_input) {
    result.place = {};
  } else if (range.first_line != 0 && line != result.place.line) {
    result.place = {line, 0, 0};
  }
  row_.in_input = in_input;
  row_.request_hash = read_hash(items_, 13);
  result.has_id = true;
  result.id = items_.text(14);
  result.error_message.clear();
  if (result.error != ErrorClass::none) result.error_message = items_.text(15);
  assign(result.output, items_, 16);
  assign(row_.input, items_, 17);
  result.latency_ms.reset();
  const auto micros = optional_integer(items_, 18);
  // Of an answer that was taken over it would be the time of somebody else's call, of one that came
  // with a batch that of the whole batch.
  if (micros && !result.cached && items_.is_null(29)) result.latency_ms = *micros / 1000;
  result.usage = read_usage(items_, 19);
  result.model = items_.text(26);
  result.finish_reason = items_.text(27);
  result.provider_request_id = items_.text(28);
}

Result<bool> ResultQuery::visit_invalid_lines(std::uint64_t first_line, std::uint64_t last_line) {
  if ((state_mask_ & bit(ItemState::invalid)) == 0) return true;
  invalid_lines_.bind_unsigned(1, first_line);
  invalid_lines_.bind_unsigned(2, last_line);
  for (;;) {
    auto found = invalid_lines_.step();
    if (!found) return found;
    if (!*found) return true;
    row_ = ResultRow{};
    ItemResult& result = row_.result;
    result.place.line = invalid_lines_.unsigned_integer(0);
    result.place.offset_bytes = invalid_lines_.unsigned_integer(1);
    result.has_id = !invalid_lines_.is_null(2);
    result.id = invalid_lines_.text(2);
    result.state = ItemState::invalid;
    result.error = ErrorClass::invalid_input;
    result.error_message = invalid_lines_.text(3);
    row_.input.emplace(invalid_lines_.blob(4));
    auto more = (*visit_)(row_);
    if (!more || !*more) {
      invalid_lines_.reset();
      return more;
    }
  }
}

}  // namespace llmbatch
