// Scheduler: which waiting item is next. Fresh items keep their order; retries wait until they are
// due and then take turns with fresh ones. Holds slot numbers only. Thread rule: one thread. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <queue>
#include <vector>

#include "llmbatch/base/clock.h"

namespace llmbatch {

class Scheduler {
 public:
  using Slot = std::uint32_t;

  void add_ready(Slot slot) { fresh_.push_back(slot); }
  void delay(Slot slot, SteadyTime due) { delayed_.push(Delayed{due, order_++, slot}); }

  /// Moves what is due to the ready side.
  void advance(SteadyTime now);
  /// The next slot to start, if any; pop() removes it.
  std::optional<Slot> peek() const;
  void pop();

  std::size_t ready() const { return fresh_.size() + due_.size(); }
  std::size_t delayed() const { return delayed_.size(); }
  std::size_t waiting() const { return ready() + delayed(); }
  std::optional<SteadyTime> next_due() const;

  /// Removes and returns everything that waits, in no particular order.
  std::vector<Slot> drain();

 private:
  struct Delayed {
    SteadyTime due;
    std::uint64_t order;
    Slot slot;
    bool operator>(const Delayed& other) const {
      return due != other.due ? due > other.due : order > other.order;
    }
  };
  bool retry_turn() const { return !due_.empty() && (fresh_.empty() || retry_next_); }

  std::deque<Slot> fresh_;
  std::deque<Slot> due_;
  std::priority_queue<Delayed, std::vector<Delayed>, std::greater<>> delayed_;
  std::uint64_t order_ = 0;
  bool retry_next_ = true;
};

}  // namespace llmbatch
