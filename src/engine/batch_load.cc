// What earlier runs left: open batches, half-filled ones, and lines that have changed since they
// were submitted.
#include <fmt/format.h>

#include <algorithm>

#include "batch_filling.h"
#include "llmbatch/base/text.h"
#include "spool_reader.h"

namespace llmbatch {
namespace {

/// Scheme, host and port.
std::string_view server_of(std::string_view url) {
  const std::size_t host = url.find("://");
  return host == std::string_view::npos ? url : url.substr(0, url.find_first_of("/?", host + 3));
}

Money sum_reserved(const std::deque<BatchRecord>& batches) {
  Money sum;
  for (const BatchRecord& batch : batches) sum += batch.reserved;
  return sum;
}

}  // namespace

/// Takes over what earlier runs left, and gives back what never got as far as the provider.
Status BatchRunner::load() {
  auto batches = parts_.journal.batches();
  if (!batches) return forward_error(batches);
  std::deque<BatchRecord> open;
  for (BatchRecord& record : *batches) {
    if (is_open(record.stage)) {
      open.push_back(std::move(record));
    } else {
      if (!record.remote_id.empty()) closed_ids_.push_back(record.remote_id);
      closed_keys_.emplace(batch_key(record), record.stage);
    }
  }
  spending_.budget().take(sum_reserved(open));
  for (BatchRecord& record : open) {
    Open batch;
    batch.interval = settings_.poll_interval;
    batch.next_at = parts_.clock.now();
    batch.record = std::move(record);
    // Beside the database, wherever that is by now.
    const bool spooled = batch.record.stage == BatchStage::ready ||
                         batch.record.stage == BatchStage::uploaded ||
                         batch.record.stage == BatchStage::submitted;
    if (spooled) batch.record.file_path = spool_path(batch.record);
    const bool other_key =
        batch.record.key_hash != to_hex(hash128(batch.record.tag + settings_.key_secret));
    const bool sent = settings_.knows_key && batch.record.stage != BatchStage::written;
    batch.other_key = sent && other_key;
    if (batch.other_key || (sent && is_elsewhere(batch.record))) {
      if (auto status = refuse_other_account(batch); !status) return status;
    }
    if (batch.other_key) {
      tell(fmt::format("warning: batch {} was sent with another API key", batch.record.number));
    }
    open_.push_back(std::move(batch));
    if (open_.back().record.stage == BatchStage::collecting) discard(open_.back(), "");
  }
  std::erase_if(open_, [](const Open& batch) { return !is_open(batch.record.stage); });
  std::unordered_set<std::string> keys;
  for (const Open& batch : open_) keys.emplace(batch_key(batch.record));
  remove_spool_leftovers(settings_.spool_prefix, keys);
  recount();
  return error_ ? Status(tl::unexpected<Error>(*error_)) : Status();
}

/// A create whose answer was lost is looked for: elsewhere there is nothing to be found, which
/// would count as "never arrived".
Status BatchRunner::refuse_other_account(const Open& batch) const {
  const BatchRecord& record = batch.record;
  const bool inlined = !parts_.api.capabilities().uploads_file;
  const bool created =
      record.stage == BatchStage::uploaded || (inlined && record.stage == BatchStage::ready);
  if (!created || !record.call_begun_at) return {};
  return tl::unexpected<Error>(
      {fmt::format(
           "batch {} may have been created by an earlier run, at {} with its key; run with that "
           "server and key, or `llmbatch batches forget {}` gives its items back, to be sent "
           "and perhaps paid again",
           record.number, sanitize_for_terminal(server_of(record.url)), record.number),
       ErrorKind::mismatch});
}

bool BatchRunner::is_elsewhere(const BatchRecord& record) const {
  return server_of(record.url) != server_of(parts_.api.list("").url);
}

/// Before anything is collected: which lines are not what they were when they were submitted. Their
/// answers are kept with the attempts, and the lines are sent as they are now.
void BatchRunner::mark_changed() {
  if (open_.empty() || !parts_.open_source || ended_) return;
  auto source = parts_.open_source();
  if (!check(source)) return;
  std::unordered_set<std::int64_t> stale;
  Item item;
  while (!ended_ && !check_stop()) {
    const Result<bool> more = (*source)->next(item);
    if (!check(more) || !*more) break;
    const auto before = parts_.journal.submission(item.seq);
    if (!check(before)) break;
    if (!*before || (*before)->batch == 0) continue;
    Submission submission = **before;
    if (parts_.answers != nullptr) asked_before_.emplace_back(submission.request_hash, item.seq);
    const bool changed = submission.request_hash != item.request_hash;
    if (changed) stale.insert(submission.batch);
    if (changed == submission.changed) continue;
    submission.changed = changed;
    submissions_.push_back(submission);
    constexpr std::size_t kPiece = 512;
    if (submissions_.size() >= kPiece && !write_updates(nullptr)) return;
  }
  std::sort(asked_before_.begin(), asked_before_.end());
  if (error_ || !write_updates(nullptr)) return;
  if (!ended_) discard_stale(stale);
}

/// What is certain not to have left need not be sent as it was.
void BatchRunner::discard_stale(const std::unordered_set<std::int64_t>& stale) {
  for (Open& batch : open_) {
    const bool here =
        batch.record.stage == BatchStage::ready || batch.record.stage == BatchStage::uploaded;
    if (ended_ || !here || batch.record.call_begun_at || !stale.contains(batch.record.number)) {
      continue;
    }
    if (!batch.record.input_file.empty()) send(parts_.api.delete_file(batch.record.input_file));
    discard(batch, "its lines have changed before it was sent");
  }
  std::erase_if(open_, [](const Open& batch) { return !is_open(batch.record.stage); });
}

}  // namespace llmbatch
