// From a line of a result file to its item: by custom id, judged like any answer. A line that is
// stored is not stored again.
#include <fmt/format.h>

#include <algorithm>

#include "answers.h"
#include "batch_filling.h"
#include "llmbatch/base/text.h"
#include "spool_reader.h"

namespace llmbatch {
namespace {

RetryHistory history_of(const Submission& submission) {
  return {submission.retries, submission.timeouts, submission.malformed, submission.truncated,
          submission.rate_limited};
}

void set_history(const RetryHistory& history, Submission& submission) {
  submission.retries = history.retries;
  submission.timeouts = history.timeouts;
  submission.malformed = history.malformed;
  submission.truncated = history.truncated;
  submission.rate_limited = history.rate_limited;
}

}  // namespace

/// Stores what a result file holds. Its lines were verified; `skip_unreadable`: the user was told
/// of some that cannot be read.
bool BatchRunner::apply_file(const std::string& path, bool skip_unreadable, ReadLines& lines) {
  auto reader = SpoolReader::open(path);
  if (!check(reader)) return false;
  std::string_view line;
  for (;;) {
    const auto more = reader->next(line);
    if (!check(more)) return false;
    if (!*more) return true;
    const auto answer = parse_answer(line);
    if (!answer && skip_unreadable) continue;
    if (!check(answer) || !apply_line(*answer, lines)) return false;
    report(false);
  }
}

Result<BatchAnswer> BatchRunner::parse_answer(std::string_view line) const {
  auto answer = parts_.api.parse_answer(line);
  if (answer || parts_.other_api == nullptr) return answer;
  auto other = parts_.other_api->parse_answer(line);
  return other ? std::move(other) : std::move(answer);
}

BatchRunner::Open* BatchRunner::batch_of(std::string_view key) {
  const auto found = std::find_if(open_.begin(), open_.end(), [key](const Open& batch) {
    return batch_key(batch.record) == key;
  });
  return found == open_.end() ? nullptr : &*found;
}

/// Stores the answer that a line brings, if it belongs to an open batch and is not stored yet.
bool BatchRunner::apply_line(const BatchAnswer& answer, ReadLines& lines) {
  ++lines.lines;
  const auto id = parse_custom_id(answer.custom_id);
  Open* batch = id ? batch_of(id->key) : nullptr;
  if (batch == nullptr) {
    count_stray(answer, lines);
    return true;
  }
  if (!answer.answered) {
    ++lines.unanswered;
    lines.unanswered_reason = sanitize_for_terminal(truncate_chars(answer.reason, 40));
    return true;
  }
  std::optional<Submission> submission;
  if (!touched_.contains(id->seq)) {
    auto stored = parts_.journal.submission(id->seq);
    if (!check(stored)) return false;
    submission = *stored;
  }
  // Stored before a kill, or told twice.
  if (!submission || submission->batch != batch->record.number) {
    ++lines.known;
    return true;
  }
  ++lines.stored;
  return answered(*batch, answer, *submission);
}

/// A line that belongs to no open batch.
void BatchRunner::count_stray(const BatchAnswer& answer, ReadLines& lines) const {
  const auto id = parse_custom_id(answer.custom_id);
  const auto closed = id ? closed_keys_.find(std::string(id->key)) : closed_keys_.end();
  if (closed != closed_keys_.end()) {
    ++(closed->second == BatchStage::collected ? lines.known : lines.given_back);
    return;
  }
  ++lines.foreign;
  constexpr std::size_t kNamed = 3;
  if (lines.strangers.size() < kNamed) {
    lines.strangers.push_back(sanitize_for_terminal(truncate_chars(answer.custom_id, 60)));
  }
}

bool BatchRunner::answered(Open& batch, const BatchAnswer& answer, Submission submission) {
  const auto item = parts_.journal.item(submission.seq);
  if (!item) {
    fail(item.error());
    return false;
  }
  HttpReply reply = answer.reply;
  Outcome outcome = parts_.provider.parse_response(reply);
  check_answer(parts_.answer_check, parts_.provider, outcome);
  if (outcome.error != ErrorClass::none) parts_.provider.redact(reply.body);
  const WallTime submitted = batch.record.submitted_at.value_or(batch.record.created_at);
  AttemptRecord attempt = describe_attempt(item->attempts + 1, outcome, reply);
  attempt.batch = batch.record.number;
  attempt.started_at = submitted;
  attempt.latency =
      std::max(Duration(0), batch.record.ended_at.value_or(parts_.clock.wall_now()) - submitted);
  if (attempt.usage) {
    attempt.cost =
        spending_.cost_of(batch.record.model, *attempt.usage, submitted, BillingMode::batch);
    add_usage(*attempt.usage, status_.usage);
  }
  spending_.account(attempt, status_);
  ++status_.attempts;
  if (item->attempts > 0) ++status_.retries;
  ++batch.record.answered;
  ItemUpdate update = identify(*item);
  ++update.attempts;
  describe_outcome(outcome, update);
  update.attempt = std::move(attempt);
  settle_outcome(outcome, submission, std::move(update));
  return write_updates_if_full(&batch.record);
}

/// What follows an answer, by the rules of real time: only that `again` means another batch.
void BatchRunner::settle_outcome(const Outcome& outcome, Submission submission, ItemUpdate update) {
  touched_.insert(submission.seq);
  RetryHistory history = history_of(submission);
  Decision decision = retry_policy_.decide(outcome, history, submission.own_model, true, 0);
  if (decision.step == NextStep::pause_run && pause_wanted_.empty()) {
    pause_wanted_ =
        fmt::format("{}{}{}", to_string(outcome.error), outcome.message.empty() ? "" : ": ",
                    sanitize_for_terminal(outcome.message));
  }
  if (decision.step == NextStep::retry && submission.tries >= kMaxTries) {
    decision = {NextStep::finish, ItemState::failed, {}, {}};
  }
  update.state = decision.step == NextStep::finish ? decision.state : ItemState::pending;
  update.finished_at = parts_.clock.wall_now();
  if (submission.changed) {
    // An answer to what the line was: kept with the attempts, and the line is sent as it is now.
    ++outdated_;
    update.state = ItemState::pending;
    submission = {};
    submission.seq = update.seq;
  }
  if (is_final(update.state)) {
    return finish_item(std::move(update), ItemState::submitted);
  }
  --items_[ItemState::submitted];
  ++items_[ItemState::pending];
  set_history(history, submission);
  submission.batch = 0;
  submission.reask = settings_.reask && outcome.error == ErrorClass::check_failed;
  submissions_.push_back(submission);
  updates_.push_back(std::move(update));
}

void BatchRunner::finish_item(ItemUpdate update, ItemState before) {
  ++items_[update.state];
  --items_[before];
  ++status_.finished_this_run;
  ++status_.collected_this_run;
  stats_.on_finished(update.state, update.error, update.error_message, parts_.clock.now());
  guard_error_rate();
  if (parts_.monitor.wants_items()) {
    ItemResult result = describe_result(update);
    result.latency_ms.reset();
    if (update.attempt) result.cost = update.attempt->cost;
    parts_.monitor.item_finished(result);
  }
  touched_.insert(update.seq);
  updates_.push_back(std::move(update));
}

void BatchRunner::guard_error_rate() {
  if (settings_.max_error_rate >= 1 || !stats_.too_many_errors(settings_.max_error_rate)) return;
  if (error_rate_warned_) return;
  error_rate_warned_ = true;
  std::string text =
      fmt::format("error rate {:.0f} % over the limit of {:g} %",
                  stats_.error_rate().value_or(0) * 100, settings_.max_error_rate * 100);
  for (const ErrorTally& tally : stats_.commonest_errors(3)) {
    text += fmt::format("; {} x {}{}{}", tally.count, tally.error_class,
                        tally.message.empty() ? "" : ": ", tally.message);
  }
  if (settings_.pause_on_error_rate) {
    if (pause_wanted_.empty()) pause_wanted_ = std::move(text);
  } else {
    tell("warning: " + text);
  }
}

}  // namespace llmbatch
