#include "vocabulary.h"

#include <algorithm>
#include <bit>

#include "llmbatch/base/hash.h"

namespace llmbatch {

Vocabulary::Vocabulary(std::size_t expected_tokens) {
  entries_.reserve(expected_tokens);
  grow(std::bit_ceil(std::max<std::size_t>(expected_tokens, 8) * 2));
}

std::size_t Vocabulary::slot_of(std::string_view bytes, std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  while (slots_[slot] != 0) {
    const Entry& entry = entries_[slots_[slot] - 1];
    if (entry.hash == hash && std::string_view(bytes_).substr(entry.offset, entry.length) == bytes)
      break;
    slot = (slot + 1) & mask;
  }
  return slot;
}

void Vocabulary::grow(std::size_t slots) {
  slots_.assign(slots, 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t slot = entries_[i].hash & (slots - 1);
    while (slots_[slot] != 0) slot = (slot + 1) & (slots - 1);
    slots_[slot] = static_cast<std::uint32_t>(i + 1);
  }
}

bool Vocabulary::add(std::string_view bytes, TokenId id) {
  if (entries_.size() * 2 >= slots_.size()) grow(slots_.size() * 2);
  const std::uint64_t hash = hash64(bytes);
  const std::size_t slot = slot_of(bytes, hash);
  if (slots_[slot] != 0) return false;
  entries_.push_back({hash, static_cast<std::uint32_t>(bytes_.size()),
                      static_cast<std::uint32_t>(bytes.size()), id});
  bytes_ += bytes;
  longest_ = std::max(longest_, bytes.size());
  slots_[slot] = static_cast<std::uint32_t>(entries_.size());
  return true;
}

std::optional<TokenId> Vocabulary::find(std::string_view bytes) const {
  if (bytes.size() > longest_) return std::nullopt;
  const std::size_t slot = slot_of(bytes, hash64(bytes));
  if (slots_[slot] == 0) return std::nullopt;
  return entries_[slots_[slot] - 1].id;
}

}  // namespace llmbatch
