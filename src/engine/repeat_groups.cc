#include "llmbatch/engine/repeat_groups.h"

#include <algorithm>

namespace llmbatch {

void RepeatGroups::forget(std::uint64_t seq, SlotNumber slot) {
  slots_.erase(seq);
  memberships_.erase(slot);
}

std::optional<SlotNumber> RepeatGroups::find(std::uint64_t seq) const {
  const auto found = slots_.find(seq);
  return found == slots_.end() ? std::nullopt : std::optional(found->second);
}

void RepeatGroups::wait_for(SlotNumber other, SlotNumber follower, std::size_t bytes) {
  const auto membership = memberships_.find(other);
  const bool in_group =
      membership != memberships_.end() && groups_.find(membership->second) != groups_.end();
  const GroupNumber number = in_group ? membership->second : next_group_++;
  Group& group = groups_[number];
  if (!in_group) {
    group.leaders = 1;
    memberships_[other] = number;
  }
  group.followers.push_back({follower, bytes});
  memberships_[follower] = number;
  ++waiting_;
  waiting_bytes_ += bytes;
}

SlotNumber RepeatGroups::pop(Group& group) {
  const Follower follower = group.followers.front();
  group.followers.pop_front();
  --waiting_;
  waiting_bytes_ -= follower.bytes;
  return follower.slot;
}

std::vector<SlotNumber> RepeatGroups::answered(SlotNumber leader) {
  std::vector<SlotNumber> followers;
  const auto membership = memberships_.find(leader);
  if (membership == memberships_.end()) return followers;
  const auto found = groups_.find(membership->second);
  memberships_.erase(membership);
  if (found == groups_.end()) return followers;
  followers.reserve(found->second.followers.size());
  while (!found->second.followers.empty()) {
    followers.push_back(pop(found->second));
    memberships_.erase(followers.back());
  }
  // Other leaders of the group may still be out; they have nobody left to speak for.
  groups_.erase(found);
  return followers;
}

std::vector<SlotNumber> RepeatGroups::failed(SlotNumber leader, std::size_t most) {
  std::vector<SlotNumber> leaders;
  const auto membership = memberships_.find(leader);
  if (membership == memberships_.end()) return leaders;
  const auto found = groups_.find(membership->second);
  memberships_.erase(membership);
  if (found == groups_.end()) return leaders;
  Group& group = found->second;
  if (--group.leaders > 0) return leaders;
  const std::size_t count =
      std::min({group.next_leaders, std::max<std::size_t>(most, 1), group.followers.size()});
  group.next_leaders *= 2;
  while (leaders.size() < count) leaders.push_back(pop(group));
  group.leaders = count;
  if (count == 0) groups_.erase(found);
  return leaders;
}

std::vector<SlotNumber> RepeatGroups::drain() {
  std::vector<SlotNumber> followers;
  followers.reserve(waiting_);
  for (auto& [number, group] : groups_) {
    while (!group.followers.empty()) followers.push_back(pop(group));
  }
  groups_.clear();
  return followers;
}

}  // namespace llmbatch
