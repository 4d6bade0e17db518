#include "stored_answers.h"

#include "row_values.h"

namespace llmbatch {
namespace {

// A refusal that a reviewer accepted keeps its class of error, and is not for others.
constexpr std::string_view kSelect =
    "select i.request_hash, r.endpoint, a.id, i.http_status, i.output_is_json, i.output, a.model,"
    " a.finish_reason, a.request_id, a.cost_pico, a.input_tokens, a.cached_input_tokens,"
    " a.cache_write_tokens, a.output_tokens, a.reasoning_tokens, a.usage_estimated, a.number"
    " from items i join attempts a on a.id = i.last_attempt join runs r on r.number = a.run"
    " where i.seq = ?1 and i.state = 3 and i.error_class = 0 and i.output is not null";

std::shared_ptr<const ReusedAnswer> read_answer(const Statement& row, std::uint64_t seq) {
  auto answer = std::make_shared<ReusedAnswer>();
  answer->seq = seq;
  answer->attempt_id = row.integer(2);
  answer->http_status = static_cast<int>(row.integer(3));
  answer->output_is_json = row.integer(4) != 0;
  answer->output = row.text(5);
  answer->model = row.text(6);
  answer->finish_reason = row.text(7);
  answer->request_id = row.text(8);
  // What came from a cache file cost nothing here; what it had cost is not known here.
  if (!row.is_null(9) && row.integer(16) != 0) answer->cost = Money::from_pico(row.integer(9));
  if (row.is_null(10)) return answer;
  Usage& usage = answer->usage.emplace();
  usage.input = row.integer(10);
  usage.cached_input = row.integer(11);
  usage.cache_write = row.integer(12);
  usage.output = row.integer(13);
  usage.reasoning = row.integer(14);
  usage.estimated = row.integer(15) != 0;
  return answer;
}

}  // namespace

Result<std::shared_ptr<const ReusedAnswer>> StoredAnswers::find(std::uint64_t seq,
                                                                const Hash128& request_hash) {
  if (!prepared_) {
    auto select = connection_->prepare(kSelect);
    if (!select) return forward_error(select);
    select_ = std::move(*select);
    prepared_ = true;
  }
  select_.bind_unsigned(1, seq);
  auto found = select_.step();
  if (!found) return forward_error(found);
  std::shared_ptr<const ReusedAnswer> answer;
  if (*found) {
    const bool same_endpoint = select_.is_null(1) ? !endpoint_ : endpoint_ == read_hash(select_, 1);
    if (same_endpoint && read_hash(select_, 0) == request_hash) answer = read_answer(select_, seq);
    select_.reset();
  }
  return answer;
}

}  // namespace llmbatch
