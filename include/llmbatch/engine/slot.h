// A slot holds one item from the source to its durable final state; the pool reuses slots so that
// memory follows the concurrency and not the input. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "llmbatch/model/item.h"
#include "llmbatch/model/item_result.h"
#include "llmbatch/policy/rate_limiter.h"
#include "llmbatch/policy/retry_policy.h"
#include "llmbatch/port/result_store.h"

namespace llmbatch {

using SlotNumber = std::uint32_t;

struct Slot {
  Item item;
  /// The question asked instead of the item's own after an answer that failed its check.
  std::unique_ptr<Request> reask;
  RetryHistory history;
  TokenReservation reservation;
  SteadyTime started_at{};
  TokenCount counted_input = 0;  ///< of the body, when something asked for it; 0: not yet
  Money cost_bound;              ///< the most that the call in flight may cost, with a cost limit
  std::optional<Money> cost;     ///< of this run's attempts; absent: none has a known cost
  std::int64_t other_answers_mark = -1;  ///< count of other answers at the last rate-limit answer
  bool in_use = false;
  bool recorded = false;                       ///< the database has a row for it
  std::optional<SteadyTime> retry_at;          ///< set between a retry decision and its commit
  ItemState final_state = ItemState::pending;  ///< set once decided
  ErrorClass final_error = ErrorClass::none;
  std::string final_message;
  /// The answer, once there is one that others may take over; kept when identical requests may
  /// come.
  std::shared_ptr<const ReusedAnswer> answer;
  bool reused = false;               ///< `answer` is another item's
  std::optional<ItemResult> result;  ///< for the monitor, when it wants items

  /// What the next call sends.
  const Request& request() const { return reask ? *reask : item.request; }
};

class SlotPool {
 public:
  SlotNumber acquire();
  void release(SlotNumber number);
  Slot& operator[](SlotNumber number) { return slots_[number]; }
  const Slot& operator[](SlotNumber number) const { return slots_[number]; }
  std::size_t in_use() const { return slots_.size() - free_.size(); }
  /// The lowest input line of any slot in use, or `otherwise`.
  std::uint64_t lowest_line(std::uint64_t otherwise) const;

 private:
  std::deque<Slot> slots_;
  std::vector<SlotNumber> free_;
};

}  // namespace llmbatch
