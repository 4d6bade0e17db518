#include "llmbatch/engine/slot.h"

#include <algorithm>

namespace llmbatch {
namespace {

/// Bodies above this are given back to the allocator instead of being kept for the next item.
constexpr std::size_t kKeptBytes = 16u << 10;

void recycle(std::string& text) {
  if (text.capacity() > kKeptBytes) {
    std::string().swap(text);
  } else {
    text.clear();
  }
}

}  // namespace

SlotNumber SlotPool::acquire() {
  if (free_.empty()) {
    slots_.emplace_back();
    free_.push_back(static_cast<SlotNumber>(slots_.size() - 1));
  }
  const SlotNumber number = free_.back();
  free_.pop_back();
  slots_[number].in_use = true;
  return number;
}

void SlotPool::release(SlotNumber number) {
  Slot& slot = slots_[number];
  recycle(slot.item.request.body);
  recycle(slot.item.input_text);
  slot.reask.reset();
  slot.history = {};
  slot.cost_bound = Money();
  slot.cost.reset();
  slot.other_answers_mark = -1;
  slot.counted_input = 0;
  slot.in_use = false;
  slot.recorded = false;
  slot.retry_at.reset();
  slot.final_state = ItemState::pending;
  slot.final_error = ErrorClass::none;
  slot.final_message.clear();
  slot.answer.reset();
  slot.reused = false;
  slot.result.reset();
  free_.push_back(number);
}

std::uint64_t SlotPool::lowest_line(std::uint64_t otherwise) const {
  std::uint64_t lowest = otherwise;
  for (const Slot& slot : slots_) {
    if (slot.in_use) lowest = std::min(lowest, slot.item.place.line);
  }
  return lowest;
}

}  // namespace llmbatch
