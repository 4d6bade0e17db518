#include "answered_items.h"

namespace llmbatch {
namespace {

/// Attempts stand in the order of their commits, so the end of the table is read and nothing else.
/// An item with an answer whose usage nobody reported says nothing and is left out.
constexpr const char* kSelect =
    "select a.seq, sum(coalesce(a.input_tokens, 0)), sum(coalesce(a.output_tokens, 0)), count(*),"
    "  max(case when a.batch is null then a.latency_us end)"
    " from attempts a join items i on i.seq = a.seq"
    "  join attempts l on l.id = i.last_attempt"
    " where a.id > (select coalesce(max(id), 0) from attempts) - ?1 and a.run = l.run"
    "  and i.state >= 3 and (?2 is null or a.run = ?2)"
    " group by a.seq"
    " having sum(a.error_class = 0 and (a.input_tokens is null or a.usage_estimated = 1)) = 0"
    "  and sum(a.input_tokens is not null) > 0"
    " order by a.seq limit ?3";

}  // namespace

Result<std::vector<AnsweredItem>> read_answered_items(Connection& connection,
                                                      std::optional<std::int64_t> run,
                                                      std::int64_t limit) {
  auto rows = connection.prepare(kSelect);
  if (!rows) return forward_error(rows);
  rows->bind(1, 2 * limit);
  rows->bind_or_null(2, run);
  rows->bind(3, limit);
  std::vector<AnsweredItem> items;
  for (;;) {
    auto row = rows->step();
    if (!row) return forward_error(row);
    if (!*row) return items;
    items.push_back({rows->unsigned_integer(0), rows->integer(1), rows->integer(2),
                     rows->integer(3), rows->integer(4)});
  }
}

}  // namespace llmbatch
