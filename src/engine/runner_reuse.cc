// Identical requests: one item is called for, the others take its answer over.
#include <algorithm>
#include <utility>

#include "llmbatch/engine/runner.h"
#include "reuse.h"

namespace llmbatch {

std::shared_ptr<const ReusedAnswer> describe_answer(const ItemUpdate& update) {
  auto answer = std::make_shared<ReusedAnswer>();
  answer->seq = update.seq;
  answer->http_status = update.http_status;
  answer->output = update.output;
  answer->output_is_json = update.output_is_json;
  if (update.attempt) {
    answer->model = update.attempt->model;
    answer->finish_reason = update.attempt->finish_reason;
    answer->request_id = update.attempt->request_id;
    answer->usage = update.attempt->usage;
    answer->cost = update.attempt->cost;
  }
  return answer;
}

/// True when the item was answered at once, or waits for one that is asked the same.
bool Runner::needs_no_call(SlotNumber number) {
  if (!reuses_) return false;
  Slot& slot = slots_[number];
  const std::uint64_t other = slot.item.same_as;
  const auto found = other != 0 ? groups_.find(other) : std::nullopt;
  groups_.track(slot.item.seq, number);
  if (other == 0) return false;
  if (found) {
    const Slot& first = slots_[*found];
    const bool no_answer = is_final(first.final_state) && !first.answer;
    if (no_answer || first.item.request_hash != slot.item.request_hash) return false;
    // The body is the other one's as well.
    std::string().swap(slot.item.request.body);
    if (first.answer) {
      take_over(number, first.answer);
    } else {
      groups_.wait_for(*found, number, slot.item.input_text.size() + slot.item.id.size());
    }
    return true;
  }
  auto known = parts_.answers->find(other, slot.item.request_hash);
  if (!known) {
    fail(known.error());
    return false;
  }
  if (!*known) return false;
  std::string().swap(slot.item.request.body);
  take_over(number, std::move(*known));
  return true;
}

void Runner::take_over(SlotNumber number, std::shared_ptr<const ReusedAnswer> answer) {
  Slot& slot = slots_[number];
  ++counters_.reused;
  ++status_.cached;
  status_.reuse.add(answer->usage, answer->cost);
  slot.reused = true;
  slot.answer = answer;
  ItemUpdate update = identify(slot.item);
  update.state = ItemState::succeeded;
  update.cached = true;
  update.reused = std::move(answer);
  push_update(number, std::move(update));
}

/// The item ended: those who wait for it take its answer over, or some of them are called for.
void Runner::settle_followers(SlotNumber number) {
  const std::shared_ptr<const ReusedAnswer> answer = slots_[number].answer;
  if (!answer) {
    call_for_next(number);
    return;
  }
  for (const SlotNumber follower : groups_.answered(number)) take_over(follower, answer);
}

void Runner::call_for_next(SlotNumber failed) {
  const auto limit = static_cast<std::size_t>(concurrency_.limit());
  const std::size_t room = 2 * limit - std::min(2 * limit, scheduler_.ready());
  for (const SlotNumber next : groups_.failed(failed, room)) {
    slots_[next].item.request = slots_[failed].item.request;
    enqueue(next);
  }
}

}  // namespace llmbatch
