// Filling batches: items become request lines and are `submitted` before anything is sent.
#include <fmt/format.h>

#include <algorithm>

#include "answers.h"
#include "batch_filling.h"
#include "llmbatch/base/text.h"
#include "llmbatch/policy/token_count.h"

namespace llmbatch {
namespace {

/// Items whose rows are written in one transaction.
constexpr std::size_t kPieceItems = 512;
constexpr std::size_t kBufferBytes = std::size_t{1} << 17;
/// Batches that are filled side by side, one for each model and endpoint of the input.
constexpr std::size_t kMostFillings = 8;
/// What an inline body has around the lines.
constexpr std::int64_t kFrameBytes = 64;

std::string random_tag(Random& random) {
  return fmt::format("llmbatch-{:016x}", random.next_u64());
}

}  // namespace

bool BatchRunner::may_fill() const {
  if (!settings_.submit || ended_ || gives_up() || max_items_reached_) return false;
  const bool queue_full = std::any_of(open_.begin(), open_.end(),
                                      [](const Open& batch) { return batch.record.queue_full; });
  const bool writes = !settings_.write_directory.empty();
  if (!writes && (queue_full || (cost_blocks_ && !open_.empty()))) return false;
  return pass_wanted_ || source_ != nullptr || ahead_ || !fillings_.empty();
}

/// Goes on until a batch is full or the items are at their end.
void BatchRunner::fill() {
  const std::size_t open_before = open_.size();
  Item item;
  while (!ended_ && open_.size() == open_before) {
    if (check_stop()) return;
    report(false);
    if (!next_item(item)) {
      if (!ended_ && write_updates(nullptr)) seal_all();
      return;
    }
    add(item);
    if (cost_blocks_) break;
  }
  if (!ended_ && write_updates(nullptr) && cost_blocks_) seal_all();
}

bool BatchRunner::next_item(Item& item) {
  if (ahead_) {
    item = std::move(*ahead_);
    ahead_.reset();
    return true;
  }
  if (!source_) {
    if (!pass_wanted_) return false;
    pass_wanted_ = false;
    asked_.clear();
    auto opened = parts_.open_source();
    if (!opened) {
      fail(opened.error());
      return false;
    }
    source_ = std::move(*opened);
  }
  const Result<bool> more = source_->next(item);
  if (!more) fail(more.error());
  if (more && *more) return true;
  last_line_ = source_->next_line();
  source_.reset();
  pass_wanted_ = pass_wanted_ || deferred_;
  deferred_ = false;
  return false;
}

void BatchRunner::add(Item& item) {
  const auto before = parts_.journal.submission(item.seq);
  if (!before) return fail(before.error());
  if (needs_no_batch(item, *before)) return;
  if (settings_.max_items && taken_up_ >= *settings_.max_items) {
    max_items_reached_ = true;
    if (write_updates(nullptr)) seal_all();
    return;
  }
  Request request;
  if (!make_request(item, *before, request)) return;
  Filling* filling = filling_for(request);
  if (filling == nullptr) return;
  const std::size_t size = filling->buffer.size();
  const auto appended =
      parts_.api.append_line(filling->buffer, make_custom_id(filling->record, item.seq), request,
                             filling->record.requests == 0 || !settings_.write_directory.empty());
  const std::size_t line_bytes = filling->buffer.size() - size;
  const bool too_large =
      static_cast<std::int64_t>(line_bytes) + kFrameBytes > parts_.api.capabilities().max_bytes;
  const bool room = !too_large && has_room(*filling, line_bytes, request);
  if (appended && room && reserve(item, request, *filling)) {
    return put(*filling, item, request, line_bytes, *before);
  }
  filling->buffer.resize(size);
  if (!appended) {
    return finish_unsent(item, ErrorClass::invalid_request, appended.error().message);
  }
  if (too_large) {
    return finish_unsent(item, ErrorClass::too_large,
                         fmt::format("its request has {} bytes, more than a whole batch may have",
                                     group_digits(static_cast<std::int64_t>(line_bytes))));
  }
  if (!room) {
    seal(*filling);
    std::erase_if(fillings_, [&](const auto& other) { return other.get() == filling; });
  }
  ahead_ = std::move(item);
}

/// True when the item is in a batch, was answered without one, or has to wait for another one.
bool BatchRunner::needs_no_batch(const Item& item, const std::optional<Submission>& before) {
  if (before && before->batch != 0) {
    return true;
  }
  if (!settings_.resubmit && before && before->tries > 0) return true;
  if (parts_.answers == nullptr) return false;
  const std::uint64_t asked = asked_for(item);
  return take_known_answer(item, asked) || is_awaited_elsewhere(item, asked);
}

/// The item that is asked what `item` would be: `same_as` names the last one with this request,
/// which may wait for another one itself; and one that stands further down may be in a batch
/// already. 0: none.
std::uint64_t BatchRunner::asked_for(const Item& item) {
  if (item.same_as == 0) {
    const auto before = std::lower_bound(asked_before_.begin(), asked_before_.end(),
                                         std::pair(item.request_hash, std::uint64_t{0}));
    const bool found = before != asked_before_.end() && before->first == item.request_hash;
    return found && before->second != item.seq ? before->second : 0;
  }
  const auto found = asked_.find(item.same_as);
  if (found == asked_.end()) return item.same_as;
  const std::uint64_t asked = found->second;
  // Nobody but this item names it.
  asked_.erase(found);
  return asked;
}

bool BatchRunner::take_known_answer(const Item& item, std::uint64_t asked) {
  std::shared_ptr<const ReusedAnswer> answer;
  if (asked != 0) {
    // What was taken over a moment ago has to be found.
    if (touched_.contains(asked) && !write_updates(nullptr)) return true;
    auto known = parts_.answers->find(asked, item.request_hash);
    if (!known) {
      fail(known.error());
      return true;
    }
    answer = std::move(*known);
  }
  if (!answer && parts_.answers->has_shared()) {
    answer = judge_shared_answer(parts_.answers->find_shared(item.request_hash),
                                 parts_.answer_check, parts_.provider);
  }
  if (!answer) return false;
  take_over(item, std::move(answer));
  if (asked != 0) asked_[item.seq] = asked;
  return true;
}

/// True when an identical request is on its way: its answer will be this item's, too.
bool BatchRunner::is_awaited_elsewhere(const Item& item, std::uint64_t asked) {
  if (asked == 0) return false;
  const bool being_filled = std::any_of(fillings_.begin(), fillings_.end(), [&](const auto& one) {
    return one->unstored.contains(asked);
  });
  bool awaited = being_filled;
  if (!awaited) {
    const auto other = parts_.journal.submission(asked);
    if (!other) {
      fail(other.error());
      return true;
    }
    awaited = *other && (*other)->batch != 0 && (*other)->request_hash == item.request_hash;
  }
  if (awaited) asked_[item.seq] = asked;
  return awaited;
}

void BatchRunner::take_over(const Item& item, std::shared_ptr<const ReusedAnswer> answer) {
  ++status_.cached;
  status_.reuse.add(answer->usage, answer->cost);
  ItemUpdate update = identify(item);
  update.state = ItemState::succeeded;
  update.cached = true;
  update.reused = std::move(answer);
  update.finished_at = parts_.clock.wall_now();
  ++items_[ItemState::succeeded];
  --items_[ItemState::pending];
  ++status_.finished_this_run;
  stats_.on_reused(parts_.clock.now());
  if (parts_.monitor.wants_items()) parts_.monitor.item_finished(describe_result(update));
  touched_.insert(item.seq);
  updates_.push_back(std::move(update));
  write_updates_if_full(nullptr);
}

void BatchRunner::finish_unsent(const Item& item, ErrorClass error, std::string message) {
  ItemUpdate update = identify(item);
  update.state = ItemState::failed;
  update.error = error;
  update.error_message = std::move(message);
  update.finished_at = parts_.clock.wall_now();
  finish_item(std::move(update), ItemState::pending);
  write_updates_if_full(nullptr);
}

/// The item's own request, or the one that asks again about an answer that failed its check.
bool BatchRunner::make_request(const Item& item, const std::optional<Submission>& before,
                               Request& request) {
  request = item.request;
  if (!before || !before->reask || before->request_hash != item.request_hash) return true;
  const auto answer = parts_.journal.last_answer(item.seq);
  if (!answer) {
    fail(answer.error());
    return false;
  }
  if (!*answer) return true;
  HttpReply reply;
  reply.status = (*answer)->http_status;
  reply.body = (*answer)->response;
  const Outcome outcome = parts_.provider.parse_response(reply);
  Request again;
  if (parts_.provider.build_reask(item.request, outcome.completion, (*answer)->violation, again)) {
    again.model = item.request.model;
    request = std::move(again);
  }
  return true;
}

/// The batch that takes requests of this model and endpoint; null: none in this pass.
BatchRunner::Filling* BatchRunner::filling_for(const Request& request) {
  for (const auto& filling : fillings_) {
    if (filling->record.url == request.url && filling->record.model == request.model) {
      return filling.get();
    }
  }
  if (fillings_.size() >= kMostFillings) {
    // To make room here would make batches of a few requests each.
    deferred_ = true;
    return nullptr;
  }
  auto filling = std::make_unique<Filling>();
  BatchRecord& record = filling->record;
  record.tag = random_tag(random_);
  record.model = request.model;
  record.url = request.url;
  record.created_at = parts_.clock.wall_now();
  record.key_hash = to_hex(hash128(record.tag + settings_.key_secret));
  if (!open_file(*filling)) return nullptr;
  fillings_.push_back(std::move(filling));
  return fillings_.back().get();
}

bool BatchRunner::has_room(const Filling& filling, std::size_t line_bytes,
                           const Request& request) const {
  const BatchCapabilities& limits = parts_.api.capabilities();
  std::int64_t most = limits.max_requests;
  if (settings_.batch_size > 0) most = std::min(most, settings_.batch_size);
  if (filling.record.requests >= most) return false;
  const auto bytes = filling.record.bytes + static_cast<std::int64_t>(line_bytes) + kFrameBytes;
  if (filling.record.requests > 0 && bytes > limits.max_bytes) return false;
  if (!limits.max_embedding_inputs || filling.record.requests == 0) return true;
  return filling.embedding_inputs + embedding_inputs(request.body) <= *limits.max_embedding_inputs;
}

/// With a cost limit: sets aside the most that the request can cost.
bool BatchRunner::reserve(const Item& item, const Request& request, Filling& filling) {
  Budget& budget = spending_.budget();
  if (!budget.limited()) return true;
  const TokenCount counted = settings_.token_counter != nullptr
                                 ? count_request_tokens(request.body, *settings_.token_counter)
                                 : count_request_tokens(request.body);
  const auto most =
      spending_.most_in_batch(request, std::max<TokenCount>(counted, 1), parts_.clock.wall_now());
  if (!most) {
    pause(
        fmt::format("line {}: what model '{}' may cost in a batch is unknown, and --max-cost "
                    "needs it; limit the answer with --max-tokens, or give a price with "
                    "--price-file",
                    item.place.line, sanitize_for_terminal(request.model)));
    return false;
  }
  if (!budget.fits(*most)) {
    const bool others =
        !open_.empty() || std::any_of(fillings_.begin(), fillings_.end(),
                                      [](const auto& one) { return one->record.requests > 0; });
    cost_blocks_ = true;
    if (!others) {
      refresh_status();
      pause(spending_.over_limit_text(status_, *most));
    }
    return false;
  }
  budget.take(*most);
  filling.record.reserved += *most;
  return true;
}

void BatchRunner::put(Filling& filling, const Item& item, const Request& request,
                      std::size_t line_bytes, const std::optional<Submission>& before) {
  BatchRecord& record = filling.record;
  record.bytes += static_cast<std::int64_t>(line_bytes);
  ++record.requests;
  filling.embedding_inputs += embedding_inputs(request.body);
  record.first_seq = record.requests == 1 ? item.seq : std::min(record.first_seq, item.seq);
  record.last_seq = std::max(record.last_seq, item.seq);

  Submission submission;
  if (before && before->request_hash == item.request_hash) submission = *before;
  submission.seq = item.seq;
  submission.batch = record.number;
  submission.position = record.requests;
  submission.own_model = item.own_model;
  submission.changed = false;
  submission.request_hash = item.request_hash;
  ++submission.tries;
  filling.submissions.push_back(submission);
  ItemUpdate update = identify(item);
  update.state = ItemState::submitted;
  filling.updates.push_back(std::move(update));
  filling.unstored.insert(item.seq);
  ++taken_up_;
  ++items_[ItemState::submitted];
  --items_[ItemState::pending];
  if (filling.updates.size() >= kPieceItems || filling.buffer.size() >= kBufferBytes) {
    write_piece(filling);
  }
}

}  // namespace llmbatch
