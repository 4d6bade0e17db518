// What a call may have made whose answer is not known: it is looked for by its tag or its file, and
// only when it is certain that there is nothing the call is made again.
#include <fmt/format.h>

#include <algorithm>

#include "batch_filling.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

/// Looks for a lost upload or batch before it is taken as never made: a list may be behind.
constexpr int kLooks = 3;
/// After this the list is not behind any more, and one look is enough.
constexpr Duration kSettled = std::chrono::minutes(10);
/// The provider's clock and ours may differ by so much.
constexpr Duration kClockSkew = std::chrono::minutes(10);
constexpr int kMostPages = 200;

}  // namespace

/// An upload whose answer is not known.
void BatchRunner::find_file(Open& batch) {
  const std::string name = parts_.api.file_name(draft_of(batch.record));
  std::string cursor;
  for (int page = 0; page < kMostPages; ++page) {
    const HttpReply reply = send(parts_.api.list_files(cursor));
    const Verdict verdict = judge(reply);
    if (!carry_on(batch, verdict, "looking for the upload")) return;
    if (verdict.trouble == Trouble::gone) break;
    auto files = parts_.api.parse_files(reply, cursor);
    if (!files) return not_understood(batch, files.error(), "looking for the upload");
    for (const RemoteFile& file : files->files) {
      if (file.name != name || file.state == RemoteFile::State::rejected) continue;
      batch.failures = 0;
      batch.record.input_file = file.id;
      batch.record.stage = BatchStage::uploaded;
      batch.file_ready = file.state == RemoteFile::State::ready;
      tell(fmt::format("batch {}: its upload was found", batch.record.number));
      return nothing_was_sent(batch);
    }
    if (files->next.empty()) break;
    cursor = files->next;
  }
  missed(batch, "upload");
}

void BatchRunner::missed(Open& batch, const char* what) {
  ++batch.misses;
  const bool settled = parts_.clock.wall_now() - *batch.record.call_begun_at >= kSettled;
  if (!settled && batch.misses < kLooks) {
    batch.next_at = parts_.clock.now() + std::clamp(settings_.poll_interval / 2,
                                                    Duration(std::chrono::milliseconds(500)),
                                                    kLongestBetweenLooks);
    return;
  }
  tell(fmt::format("batch {}: its {} never reached the provider; it is sent again",
                   batch.record.number, what));
  nothing_was_sent(batch);
}

/// True when it is known that this remote batch is another one. A candidate may be that of several
/// batches, until its custom ids tell.
bool BatchRunner::is_taken(const Open& batch, const std::string& remote_id) const {
  const auto contains = [&](const std::vector<std::string>& ids) {
    return std::find(ids.begin(), ids.end(), remote_id) != ids.end();
  };
  if (contains(closed_ids_) || contains(batch.record.other_ids)) return true;
  return std::any_of(open_.begin(), open_.end(), [&](const Open& other) {
    return other.record.remote_id == remote_id && !other.record.call_begun_at;
  });
}

/// By the tag that the provider echoes, else by the file that it was made of, else, as a candidate,
/// by time and number of requests: its custom ids will tell.
bool BatchRunner::matches(const Open& batch, const RemoteBatch& remote) const {
  if (is_taken(batch, remote.id)) return false;
  const BatchRecord& record = batch.record;
  if (!remote.tag.empty()) return remote.tag == record.tag;
  if (!record.input_file.empty()) return remote.input_file == record.input_file;
  const bool in_time =
      !remote.created_at || *remote.created_at >= *record.call_begun_at - kClockSkew;
  return in_time && remote.counts && remote.counts->total == record.requests;
}

/// A create whose answer is not known.
void BatchRunner::find_batch(Open& batch) {
  std::optional<RemoteBatch> found;
  std::string cursor;
  bool too_old = false;
  for (int page = 0; page < kMostPages && !too_old; ++page) {
    const HttpReply reply = send(parts_.api.list(cursor));
    const Verdict verdict = judge(reply);
    if (!carry_on(batch, verdict, "looking for the batch")) return;
    if (verdict.trouble == Trouble::gone) {
      return pause(
          fmt::format("batch {}: it may be at the provider, which lists no batches ({}). "
                      "`llmbatch batches forget {}` gives its items back; if it is there, "
                      "they are paid twice",
                      batch.record.number, verdict.message, batch.record.number));
    }
    auto batches = parts_.api.parse_batches(reply, cursor);
    if (!batches) return not_understood(batch, batches.error(), "looking for the batch");
    for (const RemoteBatch& remote : batches->batches) {
      too_old =
          remote.created_at && *remote.created_at < *batch.record.call_begun_at - 2 * kClockSkew;
      // The oldest candidate: newer ones belong to somebody who came later.
      if (matches(batch, remote)) found = remote;
    }
    if (batches->next.empty()) break;
    cursor = batches->next;
  }
  if (!found) return missed(batch, "batch");
  adopt_found(batch, *found);
}

/// Without a tag or a file it is a candidate, and the create stays uncertain until its answers
/// tell: it is waited for, and nothing else is done to it.
void BatchRunner::adopt_found(Open& batch, const RemoteBatch& remote) {
  const bool certain = !remote.tag.empty() || !batch.record.input_file.empty();
  adopt(batch, remote, certain);
  batch.next_at = parts_.clock.now();
  tell(fmt::format("batch {}: {} {}", batch.record.number,
                   certain ? "found at the provider as" : "its answers will tell whether it is",
                   sanitize_for_terminal(remote.id)));
}

}  // namespace llmbatch
