#include "llmbatch/policy/scheduler.h"

#include "llmbatch/base/check.h"

namespace llmbatch {

void Scheduler::advance(SteadyTime now) {
  while (!delayed_.empty() && delayed_.top().due <= now) {
    due_.push_back(delayed_.top().slot);
    delayed_.pop();
  }
}

std::optional<Scheduler::Slot> Scheduler::peek() const {
  if (retry_turn()) return due_.front();
  if (!fresh_.empty()) return fresh_.front();
  return std::nullopt;
}

void Scheduler::pop() {
  if (retry_turn()) {
    due_.pop_front();
    retry_next_ = false;
    return;
  }
  LLMBATCH_CHECK(!fresh_.empty());
  fresh_.pop_front();
  retry_next_ = true;
}

std::optional<SteadyTime> Scheduler::next_due() const {
  if (delayed_.empty()) return std::nullopt;
  return delayed_.top().due;
}

std::vector<Scheduler::Slot> Scheduler::drain() {
  std::vector<Slot> slots(fresh_.begin(), fresh_.end());
  slots.insert(slots.end(), due_.begin(), due_.end());
  for (; !delayed_.empty(); delayed_.pop()) slots.push_back(delayed_.top().slot);
  fresh_.clear();
  due_.clear();
  return slots;
}

}  // namespace llmbatch
