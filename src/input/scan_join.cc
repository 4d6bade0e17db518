#include "scan_join.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace llmbatch {
namespace {

/// Different ids in memory at a time; a partition with more is read in parts.
constexpr std::size_t kMaxEntries = 12 * 1024;
constexpr std::size_t kMaxSlots = 32 * 1024;
static_assert(kMaxSlots >= 2 * kMaxEntries);
constexpr std::uint64_t kSliceLines = 64 * 1024;
constexpr std::uint64_t kMaxSlices = 1024;

/// The partition takes the upper bits of the hash, parts of it the lowest.
bool belongs(const Hash128& id_hash, unsigned bits, std::uint64_t part) {
  return (id_hash.low & ((std::uint64_t{1} << bits) - 1)) == part;
}

}  // namespace

SliceLayout::SliceLayout(std::uint64_t lines) {
  slice_lines = std::max(kSliceLines, (lines + kMaxSlices - 1) / kMaxSlices);
  slices = static_cast<std::size_t>((lines + slice_lines - 1) / slice_lines);
}

Status ScanJoin::join_part(std::size_t partition, unsigned bits, std::uint64_t part) {
  if (lines_.size(partition) == 0) return {};
  prepare(lines_.size(partition));
  bool fits = true;
  auto read = lines_.for_each(partition, [&](const ScannedLine& line) {
    if (belongs(line.id_hash, bits, part)) fits = fits && add_line(line);
  });
  if (!read) return read;
  if (!fits) {
    // Too many different ids for the table: twice half of them.
    auto first = join_part(partition, bits + 1, part);
    return first ? join_part(partition, bits + 1, part | std::uint64_t{1} << bits) : first;
  }
  if (stored_ != nullptr) {
    read = stored_->for_each(partition, [&](const StoredItem& item) {
      if (belongs(item.id_hash, bits, part)) add_stored(item);
    });
    if (!read) return read;
  }
  if (auto decided = decide_first_lines(); !decided) return decided;
  return any_repeated_ ? decide_repeated_lines(partition, bits, part) : Status();
}

void ScanJoin::prepare(std::uint64_t records) {
  const std::uint64_t entries = std::min<std::uint64_t>(records, kMaxEntries);
  const std::size_t slots = std::bit_ceil(static_cast<std::size_t>(entries) * 2);
  if (entry_memory_.size() == 0) {
    entry_memory_.resize(kMaxEntries * sizeof(Entry));
    slot_memory_.resize(kMaxSlots * sizeof(std::uint32_t));
  }
  std::memset(slot_memory_.data(), 0, slots * sizeof(std::uint32_t));
  slot_mask_ = slots - 1;
  entry_count_ = 0;
  any_repeated_ = false;
}

/// The entry of an id, or a new one without a first line; null when the table is full.
ScanJoin::Entry* ScanJoin::find(const Hash128& id_hash) {
  auto* slots = reinterpret_cast<std::uint32_t*>(slot_memory_.data());
  auto* entries = reinterpret_cast<Entry*>(entry_memory_.data());
  for (std::size_t slot = (id_hash.low >> 20U) & slot_mask_;; slot = (slot + 1) & slot_mask_) {
    if (slots[slot] == 0) {
      if (entry_count_ == kMaxEntries) return nullptr;
      slots[slot] = static_cast<std::uint32_t>(++entry_count_);
      auto* entry = new (&entries[entry_count_ - 1]) Entry;
      entry->id_hash = id_hash;
      return entry;
    }
    Entry* entry = &entries[slots[slot] - 1];
    if (entry->id_hash == id_hash) return entry;
  }
}

bool ScanJoin::add_line(const ScannedLine& line) {
  Entry* entry = find(line.id_hash);
  if (entry == nullptr) return false;
  if (entry->first_line == 0) {
    entry->first_line = line.line;
    entry->request_hash = line.request_hash;
    return true;
  }
  any_repeated_ = true;
  if (entry->other_line == 0 && entry->request_hash != line.request_hash) {
    entry->other_line = line.line;
  }
  return true;
}

/// Later records of an id supersede earlier ones; ids that left the input are passed over.
void ScanJoin::add_stored(const StoredItem& item) {
  const auto* slots = reinterpret_cast<const std::uint32_t*>(slot_memory_.data());
  auto* entries = reinterpret_cast<Entry*>(entry_memory_.data());
  for (std::size_t slot = (item.id_hash.low >> 20U) & slot_mask_; slots[slot] != 0;
       slot = (slot + 1) & slot_mask_) {
    Entry& entry = entries[slots[slot] - 1];
    if (entry.id_hash != item.id_hash) continue;
    const std::uint64_t same = entry.request_hash == item.request_hash ? 1 : 0;
    entry.stored = item.seq_and_state << 1U | same;
    return;
  }
}

std::uint64_t ScanJoin::decision_for(const Entry& entry) const {
  if (entry.other_line != 0) {
    return Decision::pack(LineKind::invalid, entry.other_line, ItemState::invalid, false);
  }
  if (entry.stored == kUnknown) return Decision::pack(LineKind::todo, 0, ItemState::pending, false);
  const bool same = (entry.stored & 1U) != 0;
  const auto state = static_cast<ItemState>(entry.stored >> 1U & 7U);
  const std::uint64_t seq = entry.stored >> 4U;
  const bool done = same && is_final(state) && !retry_[static_cast<std::size_t>(state)];
  return Decision::pack(done ? LineKind::done : LineKind::todo_again, seq, state, !same);
}

Status ScanJoin::decide_first_lines() {
  const auto* entries = reinterpret_cast<const Entry*>(entry_memory_.data());
  for (std::size_t i = 0; i < entry_count_; ++i) {
    const Entry& entry = entries[i];
    const std::uint64_t decision = decision_for(entry);
    if (auto added = emit(entry.first_line, decision); !added) return added;
    const LineKind kind = Decision::kind(decision);
    if (stored_ == nullptr || (kind != LineKind::todo && kind != LineKind::todo_again)) continue;
    auto added = wanted_.append(request_partition(entry.request_hash),
                                {entry.request_hash.low, entry.first_line});
    if (!added) return added;
  }
  return {};
}

Status ScanJoin::decide_repeated_lines(std::size_t partition, unsigned bits, std::uint64_t part) {
  Status status;
  auto read = lines_.for_each(partition, [&](const ScannedLine& line) {
    if (!status || !belongs(line.id_hash, bits, part)) return;
    const Entry& entry = *find(line.id_hash);
    if (line.line == entry.first_line) return;
    const bool conflict = entry.other_line != 0;
    const std::uint64_t other =
        line.request_hash == entry.request_hash ? entry.other_line : entry.first_line;
    status = emit(line.line, Decision::pack(conflict ? LineKind::invalid : LineKind::duplicate,
                                            conflict ? other : 0, ItemState::invalid, false));
  });
  return read ? status : read;
}

Status ScanJoin::emit(std::uint64_t line, std::uint64_t value) {
  return decisions_.append(static_cast<std::size_t>((line - 1) / layout_.slice_lines),
                           Decision{line, value});
}

}  // namespace llmbatch
