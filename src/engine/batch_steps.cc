// The steps of one batch on its way to the provider and back: upload, create, look. Before a call
// that must not be made twice the journal says that it may have been made; when no answer to it is
// known, what it may have made is looked for first (batch_search.cc).
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "batch_filling.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

/// A batch that was just created may not be found for a moment.
constexpr Duration kJustSubmitted = std::chrono::minutes(2);

bool exists(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0;
}

/// It says that there are answers, and not where: to take that for none would pay for them again.
bool hides_results(const RemoteBatch& remote) {
  return remote.state == RemoteBatchState::completed && remote.results.empty() && remote.counts &&
         remote.counts->succeeded > 0;
}

}  // namespace

void BatchRunner::advance(Open& batch) {
  batch.looked_at = true;
  const bool uncertain = batch.record.call_begun_at.has_value();
  switch (batch.record.stage) {
    case BatchStage::ready:
      if (!parts_.api.capabilities().uploads_file) {
        return uncertain ? find_batch(batch) : create(batch);
      }
      return uncertain ? find_file(batch) : upload(batch);
    case BatchStage::uploaded:
      if (uncertain) return find_batch(batch);
      return batch.file_ready ? create(batch) : await_file(batch);
    case BatchStage::submitted:
      return has_ended(batch.remote.state) ? collect(batch) : poll(batch);
    case BatchStage::collecting:
    case BatchStage::collected:
    case BatchStage::discarded:
    case BatchStage::written:
      return;
  }
}

bool BatchRunner::write_record(const BatchRecord& record) {
  BatchCommit commit;
  commit.record = &record;
  const Status written = parts_.journal.write(commit);
  if (!written) fail(written.error());
  return written.has_value();
}

bool BatchRunner::begin_call(Open& batch) {
  batch.record.call_begun_at = parts_.clock.wall_now();
  batch.misses = 0;
  return write_record(batch.record);
}

void BatchRunner::nothing_was_sent(Open& batch) {
  batch.record.call_begun_at.reset();
  write_record(batch.record);
}

BatchDraft BatchRunner::draft_of(const BatchRecord& record) const {
  BatchDraft draft;
  draft.tag = record.tag;
  draft.file_path = record.file_path;
  draft.file_bytes = record.bytes;
  draft.requests = record.requests;
  draft.first.url = record.url;
  draft.first.model = record.model;
  draft.input_file = record.input_file;
  return draft;
}

void BatchRunner::upload(Open& batch) {
  if (!exists(batch.record.file_path)) return discard(batch, "its request file is gone");
  if (!begin_call(batch)) return;
  const BatchDraft draft = draft_of(batch.record);
  std::optional<ApiRequest> request = parts_.api.upload(draft);
  while (request) {
    const HttpReply reply = send(*request);
    const Verdict verdict = judge(reply);
    if (verdict.trouble != Trouble::none) {
      const bool open =
          verdict.trouble == Trouble::uncertain || verdict.trouble == Trouble::aborted;
      if (!open) nothing_was_sent(batch);
      if (verdict.trouble == Trouble::gone) {
        return pause(fmt::format("batch {}: the server takes no batches: {}", batch.record.number,
                                 verdict.message));
      }
      carry_on(batch, verdict, "the upload");
      return;
    }
    auto step = parts_.api.after_upload(draft, reply);
    if (!step) return not_understood(batch, step.error(), "the upload");
    if (step->file) {
      batch.failures = 0;
      batch.record.input_file = step->file->id;
      batch.file_ready = step->file->state == RemoteFile::State::ready;
      break;
    }
    request = std::move(step->request);
  }
  status_.waiting_for.clear();
  batch.record.stage = BatchStage::uploaded;
  nothing_was_sent(batch);
}

/// Some providers look through a file before a batch may be made of it.
void BatchRunner::await_file(Open& batch) {
  const HttpReply reply = send(parts_.api.get_file(batch.record.input_file));
  const Verdict verdict = judge(reply);
  if (!carry_on(batch, verdict, "looking at the upload")) return;
  if (verdict.trouble == Trouble::gone) {
    batch.record.stage = BatchStage::ready;
    batch.record.input_file.clear();
    return nothing_was_sent(batch);
  }
  const auto file = parts_.api.parse_file(reply);
  if (!file) return not_understood(batch, file.error(), "looking at the upload");
  batch.failures = 0;
  if (file->state == RemoteFile::State::rejected) {
    return pause(fmt::format("batch {}: the provider rejects its file: {}", batch.record.number,
                             sanitize_for_terminal(file->message)));
  }
  batch.file_ready = file->state == RemoteFile::State::ready;
  if (!batch.file_ready) {
    status_.waiting_for = fmt::format("batch {}: its file is processed", batch.record.number);
    batch.next_at = parts_.clock.now() + std::min(settings_.poll_interval, kLongestBetweenLooks);
  }
}

void BatchRunner::create(Open& batch) {
  const bool has_file = parts_.api.capabilities().uploads_file;
  if (!has_file && !exists(batch.record.file_path)) {
    return discard(batch, "its request file is gone");
  }
  if (!begin_call(batch)) return;
  const HttpReply reply = send(parts_.api.create(draft_of(batch.record)));
  const Verdict verdict = judge(reply);
  if (verdict.trouble != Trouble::none) {
    const bool open = verdict.trouble == Trouble::uncertain || verdict.trouble == Trouble::aborted;
    if (!open) nothing_was_sent(batch);
    if (reply.status != 0 && parts_.api.says_queue_full(reply)) {
      return set_queue_full(batch, verdict.message);
    }
    if (verdict.trouble == Trouble::gone) {
      return pause(fmt::format("batch {}: the server takes no batches: {}", batch.record.number,
                               verdict.message));
    }
    carry_on(batch, verdict, "the batch");
    return;
  }
  auto remote = parts_.api.parse_batch(reply);
  // Whatever was made is found by its tag.
  if (!remote) return not_understood(batch, remote.error(), "the batch");
  if (remote->id.empty()) return not_understood(batch, {"it names no batch"}, "the batch");
  adopt(batch, *remote);
  tell(fmt::format("batch {}: {} submitted as {}", batch.record.number,
                   counted(batch.record.requests, "request"),
                   sanitize_for_terminal(batch.record.remote_id)));
}

/// The batch is at the provider. Not `certain`: it may be another one's, so the create stays
/// uncertain, in the same write.
void BatchRunner::adopt(Open& batch, const RemoteBatch& remote, bool certain) {
  batch.record.remote_id = remote.id;
  batch.record.stage = BatchStage::submitted;
  batch.record.queue_full = false;
  batch.record.message.clear();
  batch.record.submitted_at = parts_.clock.wall_now();
  if (remote.created_at) batch.record.submitted_at = remote.created_at;
  batch.failures = 0;
  batch.interval = settings_.poll_interval;
  batch.next_at = parts_.clock.now() + batch.interval;
  note_remote(batch, remote);
  if (certain) batch.record.call_begun_at.reset();
  write_record(batch.record);
}

void BatchRunner::note_remote(Open& batch, const RemoteBatch& remote) {
  batch.remote = remote;
  batch.record.remote_state = remote.state;
  if (remote.counts) batch.record.counts = remote.counts;
  if (remote.expires_at) batch.record.expires_at = remote.expires_at;
  if (remote.ended_at) batch.record.ended_at = remote.ended_at;
}

void BatchRunner::poll(Open& batch) {
  const HttpReply reply = send(parts_.api.get(batch.record.remote_id));
  const Verdict verdict = judge(reply);
  const WallTime wall_now = parts_.clock.wall_now();
  if (verdict.trouble == Trouble::gone) {
    const bool fresh = wall_now - batch.record.submitted_at.value_or(wall_now) < kJustSubmitted;
    if (fresh && !batch.other_key) {
      return later(batch, verdict, "the look");
    }
    return fail({fmt::format("batch {}: this provider and key do not know {} ({}); run with the "
                             "key that submitted it, or `llmbatch batches forget {}` gives its "
                             "items back, to be sent and paid again",
                             batch.record.number, sanitize_for_terminal(batch.record.remote_id),
                             verdict.message, batch.record.number),
                 ErrorKind::mismatch});
  }
  if (!carry_on(batch, verdict, "the look")) return;
  const auto remote = parts_.api.parse_batch(reply);
  // What is there is waited for, whatever stands between.
  if (!remote) return later(batch, {Trouble::uncertain, remote.error().message, {}}, "the look");
  if (hides_results(*remote)) {
    return hold(batch,
                fmt::format("it has {} answers, which are paid, and names no results",
                            group_digits(remote->counts->succeeded)),
                kLooksForResults);
  }
  batch.failures = 0;
  batch.doubt.clear();
  const std::optional<RemoteCounts>& counts = batch.record.counts;
  const bool news = remote->state != batch.record.remote_state ||
                    (remote->counts && (!counts || remote->counts->succeeded != counts->succeeded ||
                                        remote->counts->failed != counts->failed));
  note_remote(batch, *remote);
  if (news && !write_record(batch.record)) return;
  if (has_ended(remote->state)) {
    batch.next_at = parts_.clock.now();
    return;
  }
  // Nothing happens for long: look less often, but never less than every four intervals.
  batch.interval = news
                       ? settings_.poll_interval
                       : std::min(batch.interval + batch.interval / 4, 4 * settings_.poll_interval);
  batch.next_at = parts_.clock.now() + batch.interval;
  // What is waited for then is told by the batches themselves.
  status_.waiting_for.clear();
}

/// The batch has ended, and not all of its answers are there, which may only be a matter of time:
/// `looks` are taken before the run stops for it.
void BatchRunner::hold(Open& batch, const std::string& what, int looks) {
  batch.doubt = what;
  later(batch, {Trouble::uncertain, what, {}}, "fetching the results");
  if (batch.failures < looks) return;
  pause(
      fmt::format("batch {}: {}. What could be read is stored; `llmbatch batches forget {}` "
                  "gives the items without an answer back, to be sent and paid again",
                  batch.record.number, what, batch.record.number));
}

/// The provider's batch, if any, is not this one: back to before it was created.
void BatchRunner::detach(Open& batch) {
  BatchRecord& record = batch.record;
  if (!record.remote_id.empty()) record.other_ids.push_back(record.remote_id);
  record.remote_id.clear();
  record.submitted_at.reset();
  record.ended_at.reset();
  record.counts.reset();
  record.remote_state = RemoteBatchState::unknown;
  record.stage = parts_.api.capabilities().uploads_file ? BatchStage::uploaded : BatchStage::ready;
  batch.remote = {};
}

/// The account's queue has no room: nothing was taken, and the same file is submitted again when
/// another batch has ended, or later.
void BatchRunner::set_queue_full(Open& batch, std::string message) {
  if (!batch.record.queue_full) {
    tell(fmt::format("batch {}: the provider's queue is full ({}); it waits for room",
                     batch.record.number, message));
  }
  detach(batch);
  batch.failures = 0;
  batch.record.queue_full = true;
  batch.record.message = std::move(message);
  batch.interval =
      std::min(2 * std::max(batch.interval, settings_.poll_interval), kLongestBatchBackoff);
  batch.next_at = parts_.clock.now() + batch.interval;
  nothing_was_sent(batch);
}

}  // namespace llmbatch
