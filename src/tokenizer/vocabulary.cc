#include "vocabulary.h"

#include <algorithm>
#include <bit>

#include "llmbatch/base/hash.h"

namespace llmbatch {

Vocabulary::Vocabulary(std::size_t expected_tokens) {
  grow(std::bit_ceil(std::max<std::size_t>(expected_tokens, 8)));
}

std::size_t Vocabulary::slot_of(std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  while (slots_[slot].id != kFree && slots_[slot].hash != hash) slot = (slot + 1) & mask;
  return slot;
}

void Vocabulary::grow(std::size_t slots) {
  std::vector<Slot> old(slots);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.id != kFree) slots_[slot_of(slot.hash)] = slot;
  }
}

bool Vocabulary::add(std::string_view bytes, TokenId id) {
  if ((size_ + 1) * 5 > slots_.size() * 4) grow(slots_.size() * 2);
  const std::uint64_t hash = hash64(bytes);
  Slot& slot = slots_[slot_of(hash)];
  if (slot.id != kFree) return false;
  slot = {hash, id};
  ++size_;
  longest_ = std::max(longest_, bytes.size());
  return true;
}

std::optional<TokenId> Vocabulary::find(std::string_view bytes) const {
  if (bytes.size() > longest_) return std::nullopt;
  const Slot& slot = slots_[slot_of(hash64(bytes))];
  if (slot.id == kFree) return std::nullopt;
  return slot.id;
}

}  // namespace llmbatch
