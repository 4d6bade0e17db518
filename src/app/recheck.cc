#include "recheck.h"

#include <fmt/format.h>

#include <utility>

#include "llmbatch/base/text.h"
#include "llmbatch/input/scan.h"

namespace llmbatch {
namespace {

/// The lines of a plan that are done, as if they were to be run.
class DoneLines final : public LineRunStream {
 public:
  explicit DoneLines(LineRunStream& plan) : plan_(plan) {}
  Result<bool> next(LineRun& run) override {
    // The plan was written meanwhile and stands at its end.
    if (!std::exchange(begun_, true)) {
      if (const Status back = plan_.rewind(); !back) return forward_error(back);
    }
    Result<bool> more = plan_.next(run);
    if (!more || !*more) return more;
    run.kind = run.kind == LineKind::done ? LineKind::todo_again : LineKind::blank;
    return true;
  }
  Status rewind() override { return plan_.rewind(); }

 private:
  LineRunStream& plan_;
  bool begun_ = false;
};

bool can_be_judged(const StoredAnswer& stored) {
  if (stored.accepted) return false;
  return stored.state == ItemState::succeeded ||
         (stored.state == ItemState::flagged && stored.error == ErrorClass::check_failed);
}

}  // namespace

Result<std::unique_ptr<Provider>> provider_for_recheck(const JobIdentity& stored,
                                                       const JobTarget& target) {
  const auto before = stored_checks(stored.checks);
  if (!before) return forward_error(before);
  const AnswerFormat old_format = answer_format(*before);
  const AnswerFormat& new_format = target.provider.defaults.answer_format;
  const bool requests_change =
      old_format.shape != new_format.shape || old_format.schema != new_format.schema;
  if (requests_change && stored.id_rule == "hash") {
    return usage_error(
        "--recheck: with --id hash other requests have other ids (--answer-format text leaves the "
        "requests as they are)");
  }
  // Everything but the checks is the same, or this were another job.
  ProviderConfig config = target.provider;
  config.defaults.answer_format = old_format;
  return make_provider(std::move(config));
}

Result<std::unique_ptr<Recheck>> Recheck::open(const RunOptions& options, const InputFile& input,
                                               const Provider& provider, StoreReader& reader,
                                               RunPlan& plan, const AnswerCheck* check) {
  auto items = open_lines(options, input, provider, std::make_unique<DoneLines>(*plan.lines), plan);
  if (!items) return forward_error(items);
  return std::unique_ptr<Recheck>(new Recheck(std::move(*items), provider, reader, check));
}

Recheck::~Recheck() = default;

Status Recheck::rewind() { return failure("answers are judged once"); }

Result<bool> Recheck::next(RecheckedItem& item) {
  constexpr std::uint64_t kAskEvery = 256;
  for (;;) {
    if (read_++ % kAskEvery == 0 && stop_signal_pending()) {
      return failure(std::string(kScanCancelled));
    }
    const Result<bool> more = items_->next(item_);
    if (!more || !*more) return more;
    const auto stored = reader_.answer_of(item_.seq);
    if (!stored) return forward_error(stored);
    if (!*stored) continue;
    item = RecheckedItem{};
    item.seq = item_.seq;
    item.id_hash = item_.id_hash;
    item.request_hash = item_.request_hash;
    item.before = (*stored)->state;
    item.state = item.before;
    if (!can_be_judged(**stored)) return true;
    return judge(**stored, item);
  }
}

Result<bool> Recheck::judge(const StoredAnswer& stored, RecheckedItem& item) {
  Completion completion;
  completion.output = stored.output;
  if (stored.attempt_id != 0) {
    const auto response = reader_.response(stored.attempt_id);
    if (!response) return forward_error(response);
    HttpReply reply;
    reply.status = stored.http_status;
    reply.body = response->value_or("");
    Outcome outcome = provider_.parse_response(reply);
    // What cannot be read as an answer any more keeps its verdict.
    if (outcome.error != ErrorClass::none) return true;
    completion = std::move(outcome.completion);
  }
  AnswerVerdict verdict{{}, completion.output, completion.output_is_json};
  if (check_ != nullptr) verdict = check_->check(completion);
  item.judged = true;
  const bool passes = verdict.violation.empty();
  item.state = passes ? ItemState::succeeded : ItemState::flagged;
  if (passes) {
    item.output = std::move(verdict.output);
    item.output_is_json = verdict.output_is_json;
    ++tally_.passed;
    if (item.before == ItemState::flagged) ++tally_.newly_passed;
    return true;
  }
  item.error = ErrorClass::check_failed;
  item.error_message = std::move(verdict.violation);
  item.output = std::move(completion.output);
  item.output_is_json = completion.output_is_json;
  ++tally_.flagged;
  if (item.before == ItemState::succeeded) ++tally_.newly_flagged;
  return true;
}

void Recheck::move_counts(StateCounts& items) const {
  const std::int64_t moved = tally_.newly_passed - tally_.newly_flagged;
  items[ItemState::succeeded] += moved;
  items[ItemState::flagged] -= moved;
}

std::string Recheck::summary() const {
  return fmt::format(
      "{} stored answers judged anew: {} pass ({} were flagged before), {} are flagged ({} passed "
      "before)",
      group_digits(tally_.judged()), group_digits(tally_.passed), group_digits(tally_.newly_passed),
      group_digits(tally_.flagged), group_digits(tally_.newly_flagged));
}

}  // namespace llmbatch
