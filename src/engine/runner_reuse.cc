// Identical requests: one item is called for, the others take its answer over.
#include <algorithm>
#include <utility>

#include "answers.h"
#include "llmbatch/engine/runner.h"

namespace llmbatch {

/// True when the item was answered at once, or waits for one that is asked the same.
bool Runner::needs_no_call(SlotNumber number) {
  if (!reuses_) return false;
  Slot& slot = slots_[number];
  const std::uint64_t other = slot.item.same_as;
  const auto found = other != 0 ? groups_.find(other) : std::nullopt;
  groups_.track(slot.item.seq, number);
  std::shared_ptr<const ReusedAnswer> answer;
  if (found) {
    const Slot& first = slots_[*found];
    const bool same = first.item.request_hash == slot.item.request_hash;
    if (same && !first.answer && !is_final(first.final_state)) {
      // The body is the other one's as well.
      std::string().swap(slot.item.request.body);
      groups_.wait_for(*found, number, slot.item.input_text.size() + slot.item.id.size());
      return true;
    }
    if (same) answer = first.answer;
  } else if (other != 0) {
    auto known = parts_.answers->find(other, slot.item.request_hash);
    if (!known) {
      fail(known.error());
      return false;
    }
    answer = std::move(*known);
  }
  if (!answer) answer = shared_answer(slot.item);
  if (!answer) return false;
  std::string().swap(slot.item.request.body);
  take_over(number, std::move(answer));
  return true;
}

/// What another job was answered, when it is an answer by this job's rules too.
std::shared_ptr<const ReusedAnswer> Runner::shared_answer(const Item& item) {
  if (!parts_.answers->has_shared()) return nullptr;
  return judge_shared_answer(parts_.answers->find_shared(item.request_hash), parts_.answer_check,
                             parts_.provider);
}

void Runner::take_over(SlotNumber number, std::shared_ptr<const ReusedAnswer> answer) {
  Slot& slot = slots_[number];
  ++counters_.reused;
  ++status_.cached;
  status_.reuse.add(answer->usage, answer->cost);
  slot.reused = true;
  slot.answer = answer;
  if (answer->foreign) {
    // Stored with this item; from now on it is this item's.
    auto own = std::make_shared<ReusedAnswer>(*answer);
    own->foreign.reset();
    own->seq = slot.item.seq;
    slot.answer = std::move(own);
  }
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
