// What a batch that has ended brings: its results are fetched whole, looked through once, and then
// stored in pieces. A piece that is stored is not stored again, so this may be repeated after a
// kill at any point.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "answers.h"
#include "batch_filling.h"
#include "llmbatch/base/text.h"
#include "spool_reader.h"

namespace llmbatch {
namespace {

/// Answers that are stored in one transaction.
constexpr std::size_t kPieceAnswers = 512;

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

ItemUpdate identify(const StoredItem& item) {
  ItemUpdate update;
  update.seq = item.seq;
  update.id = item.id;
  update.id_hash = item.id_hash;
  update.request_hash = item.request_hash;
  update.place = item.place;
  update.attempts = item.attempts;
  return update;
}

}  // namespace

std::string BatchRunner::result_path(const Open& batch, std::size_t index) const {
  return fmt::format("{}{}.result{}.jsonl", settings_.spool_prefix, batch_key(batch.record),
                     index + 1);
}

void BatchRunner::collect(Open& batch) {
  if (batch.remote.retry_later) {
    const std::string why =
        batch.remote.errors.empty() ? "enqueued tokens" : batch.remote.errors.front().message;
    return set_queue_full(batch, sanitize_for_terminal(truncate_chars(why, 200)));
  }
  describe_rejection(batch);
  if (!download_results(batch) || !verify_results(batch)) return;
  if (!apply_results(batch)) return;
  const bool rejected =
      batch.remote.state == RemoteBatchState::failed && batch.record.answered == 0;
  const bool lines_told = rejected && fail_bad_lines(batch);
  if (ended_ || !give_back_rest(batch, !rejected)) return;
  if (!close(batch, BatchStage::collected)) return;
  std::string text =
      fmt::format("batch {}: {}, {} answered", batch.record.number, to_string(batch.remote.state),
                  group_digits(batch.record.answered));
  if (batch.record.unanswered > 0) {
    text += fmt::format(", {} without an answer", group_digits(batch.record.unanswered));
    if (!unanswered_reason_.empty()) text += fmt::format(" ({})", unanswered_reason_);
  }
  if (!batch.record.message.empty()) text += "; " + batch.record.message;
  tell(text);
  unanswered_reason_.clear();
  report(true);
  if (rejected && !lines_told) {
    pause_wanted_ =
        fmt::format("batch {} was rejected: {}", batch.record.number,
                    batch.record.message.empty() ? "no reason was given" : batch.record.message);
  }
  if (!pause_wanted_.empty()) pause(pause_wanted_);
}

void BatchRunner::describe_rejection(Open& batch) {
  if (batch.remote.errors.empty()) return;
  const BatchError& first = batch.remote.errors.front();
  batch.record.message = sanitize_for_terminal(truncate_chars(
      fmt::format("{}{}{}{}", first.code, first.code.empty() || first.message.empty() ? "" : ": ",
                  first.message,
                  first.line ? fmt::format(" (line {} of its file)", *first.line) : ""),
      300));
}

/// False: not complete yet.
bool BatchRunner::download_results(Open& batch) {
  for (std::size_t i = 0; i < batch.remote.results.size(); ++i) {
    const std::string path = result_path(batch, i);
    const HttpReply reply = parts_.client.download(
        parts_.api.download(batch.remote.results[i]), path, [this](const TransferProgress& p) {
          status_.waiting_for = fmt::format("results, {} MB so far", p.received_bytes / 1'000'000);
          report(false);
          const InterruptState state = parts_.interrupts.poll();
          return state.stop_requests == 0 && !error_;
        });
    const Verdict verdict = judge(reply);
    if (verdict.trouble == Trouble::aborted) {
      // A signal, or a disk that is full.
      if (parts_.interrupts.poll().stop_requests == 0) {
        fail({fmt::format("batch {}: its results cannot be stored: {}", batch.record.number,
                          verdict.message),
              ErrorKind::failure});
      }
      return false;
    }
    if (reply.error == TransportError::none && reply.status == 416) {
      // There is nothing behind what we have; whether that is the file the next steps tell.
      continue;
    }
    if (verdict.trouble == Trouble::gone) {
      unlink(path.c_str());
      pause(
          fmt::format("batch {}: its results are gone ({}); they were paid for. `llmbatch batches "
                      "forget {}` gives its items back, to be sent and paid again",
                      batch.record.number, verdict.message, batch.record.number));
      return false;
    }
    if (!carry_on(batch, verdict, "fetching the results")) return false;
  }
  return true;
}

/// Every line is looked at before the first is stored.
bool BatchRunner::verify_results(Open& batch) {
  for (std::size_t i = 0; i < batch.remote.results.size(); ++i) {
    auto reader = SpoolReader::open(result_path(batch, i));
    // An empty result was never begun.
    if (!reader) continue;
    std::string_view line;
    for (;;) {
      const auto more = reader->next(line);
      if (!more) {
        fail(more.error());
        return false;
      }
      if (!*more) break;
      const auto answer = parts_.api.parse_answer(line);
      const auto id = answer ? parse_custom_id(answer->custom_id) : std::nullopt;
      if (id && id->key == batch_key(batch.record)) continue;
      if (answer && !parts_.api.capabilities().echoes_tag) {
        forget_foreign(batch);
        return false;
      }
      const std::string path = result_path(batch, i);
      if (!batch.download_repeated) {
        // Cut, or changed on the way: once more, from the beginning.
        batch.download_repeated = true;
        unlink(path.c_str());
        return false;
      }
      pause(fmt::format("batch {}: {}:{}: {}", batch.record.number, path, reader->number(),
                        answer ? "not an answer to a request of this batch"
                               : sanitize_for_terminal(answer.error().message)));
      return false;
    }
  }
  return true;
}

/// The candidate was somebody else's batch: what is ours is still to be found.
void BatchRunner::forget_foreign(Open& batch) {
  tell(fmt::format("batch {}: {} is not this one", batch.record.number,
                   sanitize_for_terminal(batch.record.remote_id)));
  for (std::size_t i = 0; i < batch.remote.results.size(); ++i)
    unlink(result_path(batch, i).c_str());
  batch.record.other_ids.push_back(batch.record.remote_id);
  batch.record.remote_id.clear();
  batch.record.submitted_at.reset();
  batch.record.counts.reset();
  batch.record.remote_state = RemoteBatchState::unknown;
  batch.record.stage =
      parts_.api.capabilities().uploads_file ? BatchStage::uploaded : BatchStage::ready;
  batch.record.call_begun_at = batch.record.created_at;
  batch.remote = {};
  batch.misses = 0;
  batch.next_at = parts_.clock.now();
  write_record(batch.record);
}

bool BatchRunner::apply_results(Open& batch) {
  status_.waiting_for.clear();
  for (std::size_t i = 0; i < batch.remote.results.size(); ++i) {
    auto reader = SpoolReader::open(result_path(batch, i));
    if (!reader) continue;
    std::string_view line;
    for (;;) {
      const auto more = reader->next(line);
      if (!more) {
        fail(more.error());
        return false;
      }
      if (!*more) break;
      if (!apply_line(batch, line)) return false;
      report(false);
    }
  }
  return true;
}

bool BatchRunner::apply_line(Open& batch, std::string_view line) {
  const auto answer = parts_.api.parse_answer(line);
  if (!answer) {
    fail(answer.error());
    return false;
  }
  const auto id = parse_custom_id(answer->custom_id);
  if (!id || touched_.contains(id->seq)) return true;
  const auto submission = parts_.journal.submission(id->seq);
  if (!submission) {
    fail(submission.error());
    return false;
  }
  // Stored before a kill, or told twice.
  if (!*submission || (*submission)->batch != batch.record.number) return true;
  if (!answer->answered) {
    unanswered_reason_ = sanitize_for_terminal(truncate_chars(answer->reason, 40));
    return true;
  }
  return answered(batch, *answer, **submission);
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

/// Lines that the provider's validation named: their requests are at fault.
bool BatchRunner::fail_bad_lines(Open& batch) {
  bool any = false;
  for (const BatchError& error : batch.remote.errors) {
    if (!error.line) continue;
    const auto seq = parts_.journal.seq_at(batch.record, *error.line);
    if (!seq) {
      fail(seq.error());
      return false;
    }
    if (!*seq || touched_.contains(**seq)) continue;
    const auto item = parts_.journal.item(**seq);
    if (!item) {
      fail(item.error());
      return false;
    }
    ItemUpdate update = identify(*item);
    update.state = ItemState::failed;
    update.error = ErrorClass::invalid_request;
    update.error_message =
        error.message.empty() ? error.code : fmt::format("{}: {}", error.code, error.message);
    update.finished_at = parts_.clock.wall_now();
    finish_item(std::move(update), ItemState::submitted);
    any = true;
  }
  return any;
}

/// Everything in the batch that no line was about: back to pending, or failed after enough tries.
bool BatchRunner::give_back_rest(Open& batch, bool count_try) {
  if (!write_updates(&batch.record)) return false;
  std::uint64_t after = 0;
  for (;;) {
    const auto rest = parts_.journal.submissions_of(batch.record, after, kPieceAnswers);
    if (!rest) {
      fail(rest.error());
      return false;
    }
    if (rest->empty()) return true;
    for (const Submission& submission : *rest) {
      after = submission.seq;
      const auto item = parts_.journal.item(submission.seq);
      if (!item) {
        fail(item.error());
        return false;
      }
      ++batch.record.unanswered;
      give_back(submission, *item, count_try);
    }
    if (!write_updates(&batch.record)) return false;
  }
}

void BatchRunner::give_back(Submission submission, const StoredItem& item, bool count_try) {
  ItemUpdate update = identify(item);
  update.state = ItemState::pending;
  update.finished_at = parts_.clock.wall_now();
  submission.batch = 0;
  if (!count_try && submission.tries > 0) --submission.tries;
  const bool enough = count_try && submission.tries >= kMaxTries && !submission.changed;
  if (enough) {
    update.state = ItemState::failed;
    update.error = ErrorClass::server_error;
    update.error_message = fmt::format(
        "no answer in {} provider batches{}", submission.tries,
        unanswered_reason_.empty() ? "" : fmt::format(" (the last: {})", unanswered_reason_));
    return finish_item(std::move(update), ItemState::submitted);
  }
  if (submission.changed) {
    submission = {};
    submission.seq = item.seq;
  }
  ++items_[ItemState::pending];
  --items_[ItemState::submitted];
  submissions_.push_back(submission);
  updates_.push_back(std::move(update));
}

/// A batch that never reached the provider: its items are as if they had not been in it.
void BatchRunner::discard(Open& batch, std::string message) {
  batch.record.message = std::move(message);
  if (!batch.record.message.empty()) {
    tell(fmt::format("batch {}: {}; its items are pending again", batch.record.number,
                     batch.record.message));
  }
  if (give_back_rest(batch, false)) close(batch, BatchStage::discarded);
}

bool BatchRunner::write_updates(const BatchRecord* record) {
  if (updates_.empty() && submissions_.empty() && record == nullptr) return true;
  const RunProgress progress = describe_progress();
  BatchCommit commit;
  commit.record = record;
  commit.items = updates_;
  commit.submissions = submissions_;
  commit.progress = &progress;
  const Status written = parts_.journal.write(commit);
  updates_.clear();
  submissions_.clear();
  touched_.clear();
  if (!written) fail(written.error());
  return written.has_value();
}

bool BatchRunner::write_updates_if_full(const BatchRecord* record) {
  return updates_.size() < kPieceAnswers || write_updates(record);
}

}  // namespace llmbatch
