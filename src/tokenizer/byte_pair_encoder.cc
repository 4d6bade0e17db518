#include "byte_pair_encoder.h"

#include <array>
#include <queue>
#include <utility>

namespace llmbatch {
namespace {

/// Up to here looking through all pairs for each merge is faster than a heap.
constexpr std::size_t kShortPiece = 48;

std::uint64_t pair_of(TokenId left, TokenId right) { return std::uint64_t{left} << 32U | right; }

}  // namespace

std::size_t MergeList::slot_of(std::uint64_t pair) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = (pair * 0x9E3779B97F4A7C15ULL >> 32U) & mask;
  while (slots_[slot].pair != kFree && slots_[slot].pair != pair) slot = (slot + 1) & mask;
  return slot;
}

void MergeList::add(TokenId left, TokenId right, Merge merge) {
  if (count_ * 2 >= slots_.size()) {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.pair != kFree) slots_[slot_of(slot.pair)] = slot;
    }
  }
  Slot& slot = slots_[slot_of(pair_of(left, right))];
  if (slot.pair != kFree) return;
  slot = {pair_of(left, right), merge};
  ++count_;
}

const MergeList::Merge* MergeList::find(TokenId left, TokenId right) const {
  const Slot& slot = slots_[slot_of(pair_of(left, right))];
  return slot.pair == kFree ? nullptr : &slot.merge;
}

BytePairEncoder::BytePairEncoder(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    bytes_.push_back(vocabulary_.find({&c, 1}).value_or(kUnknown));
  }
}

BytePairEncoder::BytePairEncoder(Vocabulary vocabulary, MergeList merges, bool whole_first)
    : BytePairEncoder(std::move(vocabulary)) {
  merges_ = std::move(merges);
  whole_first_ = whole_first;
}

std::optional<MergeList::Merge> BytePairEncoder::merge_of(std::string_view piece, const Part& left,
                                                          const Part& right) const {
  if (merges_) {
    const Merge* merge = merges_->find(left.id, right.id);
    if (merge == nullptr) return std::nullopt;
    return *merge;
  }
  const auto id = vocabulary_.find(piece.substr(left.begin, right.end - left.begin));
  if (!id) return std::nullopt;
  return Merge{*id, *id};
}

void BytePairEncoder::split_bytes(std::string_view piece, std::vector<Part>& parts) const {
  parts.clear();
  parts.reserve(piece.size());
  for (std::uint32_t i = 0; i < piece.size(); ++i) {
    parts.push_back(
        {i, i + 1, i == 0 ? 0 : i - 1, i + 1, bytes_[static_cast<unsigned char>(piece[i])]});
  }
}

void BytePairEncoder::merge_short(std::string_view piece, std::vector<Part>& parts) const {
  // ranks[i]: of the pair that begins with part i; parts are moved together after each merge.
  std::array<std::optional<Merge>, kShortPiece> merges;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    merges[i] = merge_of(piece, parts[i], parts[i + 1]);
  }
  while (parts.size() > 1) {
    std::size_t best = parts.size();
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      if (merges[i] && (best == parts.size() || merges[i]->rank < merges[best]->rank)) best = i;
    }
    if (best == parts.size()) return;
    parts[best].end = parts[best + 1].end;
    parts[best].id = merges[best]->merged;
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    for (std::size_t i = best + 1; i + 1 < parts.size(); ++i) merges[i] = merges[i + 1];
    merges[best].reset();
    if (best + 1 < parts.size()) merges[best] = merge_of(piece, parts[best], parts[best + 1]);
    if (best > 0) merges[best - 1] = merge_of(piece, parts[best - 1], parts[best]);
  }
}

void BytePairEncoder::merge_long(std::string_view piece, std::vector<Part>& parts) const {
  struct Candidate {
    Merge merge;
    std::uint32_t left = 0;
    std::uint32_t end = 0;     ///< of the right part when this was found
    std::uint32_t middle = 0;  ///< of the left part when this was found
    bool operator>(const Candidate& other) const {
      return std::pair(merge.rank, left) > std::pair(other.merge.rank, other.left);
    }
  };
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto offer = [&](std::uint32_t left) {
    const std::uint32_t right = parts[left].next;
    if (right >= parts.size()) return;
    if (const auto merge = merge_of(piece, parts[left], parts[right])) {
      queue.push({*merge, left, parts[right].end, parts[left].end});
    }
  };
  for (std::uint32_t i = 0; i + 1 < parts.size(); ++i) offer(i);
  while (!queue.empty()) {
    const Candidate candidate = queue.top();
    queue.pop();
    Part& left = parts[candidate.left];
    // A part that was merged into another is empty; one that grew has another end.
    const bool alive = left.begin < left.end && left.end == candidate.middle &&
                       left.next < parts.size() && parts[left.next].end == candidate.end;
    if (!alive) continue;
    Part& right = parts[left.next];
    left.end = right.end;
    left.id = candidate.merge.merged;
    left.next = right.next;
    right.begin = right.end;
    if (left.next < parts.size()) parts[left.next].previous = candidate.left;
    offer(candidate.left);
    if (left.begin > 0) offer(left.previous);
  }
  std::erase_if(parts, [](const Part& part) { return part.begin == part.end; });
}

template <typename Visit>
void BytePairEncoder::walk(std::string_view piece, Visit&& visit) const {
  if (piece.empty()) return;
  if (whole_first_) {
    if (const auto id = vocabulary_.find(piece)) return visit(&*id, std::size_t{1});
  }
  std::vector<Part> parts;
  split_bytes(piece, parts);
  if (parts.size() <= kShortPiece) {
    merge_short(piece, parts);
  } else {
    merge_long(piece, parts);
  }
  visit(nullptr, parts.size());
  for (const Part& part : parts) visit(&part.id, std::size_t{0});
}

TokenCount BytePairEncoder::count(std::string_view piece) const {
  TokenCount tokens = 0;
  walk(piece,
       [&tokens](const TokenId*, std::size_t count) { tokens += static_cast<TokenCount>(count); });
  return tokens;
}

void BytePairEncoder::encode(std::string_view piece, std::vector<TokenId>& out) const {
  walk(piece, [&out](const TokenId* id, std::size_t) {
    if (id != nullptr) out.push_back(*id);
  });
}

}  // namespace llmbatch
