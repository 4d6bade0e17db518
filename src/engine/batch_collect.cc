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
constexpr std::size_t kPieceAnswers = 384;

}  // namespace

/// The lines of result files that are this batch's.
struct BatchRunner::Found {
  std::int64_t lines = 0;
  std::int64_t answers = 0;
};

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
  batch.doubt.clear();
  batch.unreadable = false;
  outdated_ = 0;
  if (!download_results(batch) || !verify_results(batch)) return;
  if (!apply_results(batch)) return;
  if (!batch.doubt.empty()) return hold_results(batch);
  const bool rejected =
      batch.remote.state == RemoteBatchState::failed && batch.record.answered == 0;
  const bool lines_told = rejected && fail_bad_lines(batch);
  if (ended_ || !give_back_rest(batch, !rejected)) return;
  if (!close(batch, BatchStage::collected)) return;
  std::string text =
      fmt::format("batch {}: {}, {} answered", batch.record.number, to_string(batch.remote.state),
                  group_digits(batch.record.answered));
  if (outdated_ > 0) {
    text += fmt::format(" ({} to {} changed since)", group_digits(outdated_),
                        outdated_ == 1 ? "a line that has" : "lines that have");
  }
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

bool BatchRunner::apply_results(Open& batch) {
  status_.waiting_for.clear();
  ReadLines lines;
  for (std::size_t i = 0; i < batch.remote.results.size(); ++i) {
    const std::string path = result_path(batch, i);
    // An empty result was never begun.
    if (access(path.c_str(), F_OK) == 0 && !apply_file(path, batch.unreadable, lines)) return false;
  }
  unanswered_reason_ = std::move(lines.unanswered_reason);
  return true;
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

/// True once: the results are fetched again, from the beginning.
bool BatchRunner::may_repeat_download(Open& batch) {
  if (batch.download_repeated) return false;
  batch.download_repeated = true;
  remove_results(batch);
  return true;
}

void BatchRunner::remove_results(const Open& batch) const {
  for (std::size_t i = 0; i < batch.remote.results.size(); ++i) {
    unlink(result_path(batch, i).c_str());
  }
}

/// Every line is looked at before the first is stored.
bool BatchRunner::verify_results(Open& batch) {
  Found found;
  for (std::size_t i = 0; i < batch.remote.results.size(); ++i) {
    if (!verify_file_of(batch, i, found)) return false;
  }
  if (batch.record.call_begun_at) {
    // A candidate: its custom ids tell.
    if (found.lines == 0) {
      forget_foreign(batch, nullptr);
      return false;
    }
    nothing_was_sent(batch);
  }
  // A file that was cut between two lines looks whole.
  const std::int64_t counted = batch.remote.counts ? batch.remote.counts->succeeded : 0;
  if (found.answers >= counted || !batch.doubt.empty()) return true;
  if (may_repeat_download(batch)) return false;
  batch.doubt = fmt::format("{} of its {} answers, which are paid, are not in its results",
                            group_digits(counted - found.answers), group_digits(counted));
  return true;
}

/// False: the results are not to be used, or not yet.
bool BatchRunner::verify_file_of(Open& batch, std::size_t index, Found& found) {
  const std::string path = result_path(batch, index);
  auto reader = SpoolReader::open(path);
  // An empty result was never begun.
  if (!reader) return true;
  std::string_view line;
  for (;;) {
    const auto more = reader->next(line);
    if (!check(more)) return false;
    if (!*more) return true;
    const auto answer = parts_.api.parse_answer(line);
    const auto id = answer ? parse_custom_id(answer->custom_id) : std::nullopt;
    if (id && id->key == batch_key(batch.record)) {
      ++found.lines;
      found.answers += answer->answered ? 1 : 0;
      continue;
    }
    if (answer && batch.record.call_begun_at) {
      forget_foreign(batch, id ? batch_of(id->key) : nullptr);
      return false;
    }
    // Cut, or changed on the way.
    if (may_repeat_download(batch)) return false;
    if (batch.unreadable) continue;
    batch.unreadable = true;
    batch.doubt = fmt::format("{}:{}: {}", path, reader->number(),
                              answer ? "not an answer to a request of this batch"
                                     : sanitize_for_terminal(answer.error().message));
  }
}

/// What can be trusted is stored; the rest stays in the batch.
void BatchRunner::hold_results(Open& batch) {
  if (!write_updates(&batch.record)) return;
  remove_results(batch);
  report(true);
  hold(batch, std::string(batch.doubt), batch.unreadable ? 1 : kLooksForResults);
}

/// The candidate was somebody else's batch: what is ours is still to be found.
void BatchRunner::forget_foreign(Open& batch, Open* owner) {
  const std::string whose =
      owner == nullptr ? "" : fmt::format(", but batch {}", owner->record.number);
  tell(fmt::format("batch {}: {} is not this one{}", batch.record.number,
                   sanitize_for_terminal(batch.record.remote_id), whose));
  remove_results(batch);
  const bool sought = owner != nullptr && owner->record.call_begun_at &&
                      owner->record.stage != BatchStage::submitted;
  if (sought) adopt(*owner, batch.remote);
  detach(batch);
  batch.record.call_begun_at = batch.record.created_at;
  batch.misses = 0;
  batch.next_at = parts_.clock.now();
  write_record(batch.record);
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
