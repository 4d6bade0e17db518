// RepeatGroups: items that wait for the answer to a request that another item is making. A group
// has leaders, which call, and followers, which wait; it ends when a leader is answered. Holds slot
// numbers only. Thread rule: one thread. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "llmbatch/engine/slot.h"

namespace llmbatch {

class RepeatGroups {
 public:
  /// Makes an item findable until it is forgotten.
  void track(std::uint64_t seq, SlotNumber slot) { slots_[seq] = slot; }
  void forget(std::uint64_t seq, SlotNumber slot);
  std::optional<SlotNumber> find(std::uint64_t seq) const;

  /// `follower` waits with those who wait for `other`, which is a leader, a follower, or alone so
  /// far. `bytes`: what is kept for it meanwhile.
  void wait_for(SlotNumber other, SlotNumber follower, std::size_t bytes);

  /// A leader was answered: everyone who waited, in the order of arrival.
  std::vector<SlotNumber> answered(SlotNumber leader);

  /// A leader ended without an answer. When it was the last one, the first of those who wait become
  /// leaders: one after the first failure, then two, four, ... at most `most` (at least 1), so that
  /// an answer costs little more than one call, and many failures do not take for ever.
  std::vector<SlotNumber> failed(SlotNumber leader, std::size_t most);

  /// Removes and returns everyone who waits.
  std::vector<SlotNumber> drain();

  std::size_t waiting() const { return waiting_; }
  std::size_t waiting_bytes() const { return waiting_bytes_; }

 private:
  struct Follower {
    SlotNumber slot = 0;
    std::size_t bytes = 0;
  };
  struct Group {
    std::deque<Follower> followers;
    std::size_t leaders = 0;
    std::size_t next_leaders = 1;
  };
  using GroupNumber = std::uint64_t;

  SlotNumber pop(Group& group);

  std::unordered_map<std::uint64_t, SlotNumber> slots_;      ///< by seq
  std::unordered_map<SlotNumber, GroupNumber> memberships_;  ///< of leaders and followers
  std::unordered_map<GroupNumber, Group> groups_;
  GroupNumber next_group_ = 0;
  std::size_t waiting_ = 0;
  std::size_t waiting_bytes_ = 0;
};

}  // namespace llmbatch
