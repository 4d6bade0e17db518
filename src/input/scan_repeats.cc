#include "scan_repeats.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace llmbatch {
namespace {

/// Different requests in memory at a time; a partition with more is read in parts.
constexpr std::size_t kMaxEntries = 48 * 1024;
constexpr std::size_t kMaxSlots = 128 * 1024;
/// Bits of the filter that keeps items away whose request nobody asks for.
constexpr std::size_t kFilterBits = std::size_t{1} << 22U;

bool belongs(std::uint64_t request, unsigned bits, std::uint64_t part) {
  return (request & ((std::uint64_t{1} << bits) - 1)) == part;
}

std::size_t filter_bit(std::size_t partition, std::uint64_t request) {
  return ((request >> 20U) ^ (partition << 14U)) & (kFilterBits - 1);
}

}  // namespace

void ScanRepeats::prepare(std::uint64_t records) {
  const auto entries = static_cast<std::size_t>(std::min<std::uint64_t>(records, kMaxEntries));
  const std::size_t slots = std::bit_ceil(std::max<std::size_t>(entries, 1) * 2);
  if (table_.size() == 0) table_.resize(kMaxSlots * sizeof(Entry));
  std::memset(table_.data(), 0, slots * sizeof(Entry));
  mask_ = slots - 1;
  entries_ = 0;
}

/// The entry of a request, or a free one; null when there are too many.
ScanRepeats::Entry* ScanRepeats::find(std::uint64_t request) {
  auto* table = reinterpret_cast<Entry*>(table_.data());
  for (std::size_t slot = (request >> 24U) & mask_;; slot = (slot + 1) & mask_) {
    Entry& entry = table[slot];
    if (entry.number != 0 && entry.request != request) continue;
    if (entry.number == 0) {
      if (entries_ == kMaxEntries) return nullptr;
      ++entries_;
      entry.request = request;
    }
    return &entry;
  }
}

Status ScanRepeats::find_repeats(const PartitionFile<RequestLine>& requests,
                                 std::size_t partition) {
  return requests.size(partition) < 2 ? Status() : link_part(requests, partition, 0, 0);
}

Status ScanRepeats::link_part(const PartitionFile<RequestLine>& requests, std::size_t partition,
                              unsigned bits, std::uint64_t part) {
  prepare(requests.size(partition));
  // What may not fit is only counted first: nothing must be said twice.
  bool counting = requests.size(partition) > kMaxEntries;
  bool fits = true;
  Status status;
  const auto visit = [&](const RequestLine& record) {
    if (!fits || !status || !belongs(record.request, bits, part)) return;
    Entry* entry = find(record.request);
    fits = entry != nullptr;
    if (!fits) return;
    if (!counting && entry->number != 0) {
      any_ = true;
      status = repeats_.append(slice_of(entry->number), {entry->number, record.line});
    }
    entry->number = record.line;
  };
  if (auto read = requests.for_each(partition, visit); !read) return read;
  if (!fits) {
    auto first = link_part(requests, partition, bits + 1, part);
    return first ? link_part(requests, partition, bits + 1, part | std::uint64_t{1} << bits)
                 : first;
  }
  if (counting) {
    counting = false;
    prepare(requests.size(partition));
    if (auto read = requests.for_each(partition, visit); !read) return read;
  }
  return status;
}

Status ScanRepeats::find_donors(const std::vector<const PartitionFile<RequestLine>*>& wanted,
                                const ItemIndex& index) {
  std::vector<bool> filter(kFilterBits, false);
  bool anything = false;
  for (std::size_t partition = 0; partition < kScanPartitions; ++partition) {
    for (const auto* lines : wanted) {
      auto read = lines->for_each(partition, [&](const RequestLine& record) {
        filter[filter_bit(partition, record.request)] = true;
        anything = true;
      });
      if (!read) return read;
    }
  }
  if (!anything) return {};
  PartitionFile<RequestLine> answered(directory_, kScanPartitions);
  Status status;
  auto visited = index.for_each([&](const IndexRecord& record) {
    if (record.state != ItemState::succeeded || !status) return;
    const std::size_t partition = request_partition(record.request_hash);
    if (!filter[filter_bit(partition, record.request_hash.low)]) return;
    status = answered.append(partition, {record.request_hash.low, record.seq});
  });
  if (!visited) return visited;
  if (!status) return status;
  for (std::size_t partition = 0; partition < kScanPartitions; ++partition) {
    if (answered.size(partition) == 0) continue;
    if (auto given = give_part(wanted, answered, partition, 0, 0); !given) return given;
  }
  return {};
}

Status ScanRepeats::give_part(const std::vector<const PartitionFile<RequestLine>*>& wanted,
                              const PartitionFile<RequestLine>& answered, std::size_t partition,
                              unsigned bits, std::uint64_t part) {
  prepare(answered.size(partition));
  bool fits = true;
  auto read = answered.for_each(partition, [&](const RequestLine& record) {
    if (!fits || !belongs(record.request, bits, part)) return;
    Entry* entry = find(record.request);
    fits = entry != nullptr;
    if (fits) entry->number = record.line;  // a seq; the latest is the one most likely to stand
  });
  if (!read) return read;
  if (!fits) {
    auto first = give_part(wanted, answered, partition, bits + 1, part);
    return first ? give_part(wanted, answered, partition, bits + 1, part | std::uint64_t{1} << bits)
                 : first;
  }
  Status status;
  for (const auto* lines : wanted) {
    read = lines->for_each(partition, [&](const RequestLine& record) {
      if (!status || !belongs(record.request, bits, part)) return;
      const auto* table = reinterpret_cast<const Entry*>(table_.data());
      for (std::size_t slot = (record.request >> 24U) & mask_; table[slot].number != 0;
           slot = (slot + 1) & mask_) {
        if (table[slot].request != record.request) continue;
        any_ = true;
        status = donors_.append(slice_of(record.line), {record.line, table[slot].number});
        return;
      }
    });
    if (!read) return read;
    if (!status) return status;
  }
  return {};
}

RepeatFold::RepeatFold(const ScanRepeats& found, const SliceLayout& layout,
                       const std::string& directory)
    : found_(found),
      layout_(layout),
      passed_on_(directory, layout.slices),
      next_memory_(layout.slice_lines * sizeof(std::uint64_t)),
      giver_memory_(layout.slice_lines * sizeof(std::uint64_t)),
      next_lines_(reinterpret_cast<std::uint64_t*>(next_memory_.data())),
      givers_(reinterpret_cast<std::uint64_t*>(giver_memory_.data())),
      file_(std::make_shared<SpillFile>(directory)),
      writer_(*file_) {}

Status RepeatFold::begin_slice(std::size_t slice) {
  first_line_ = 1 + slice * layout_.slice_lines;
  std::fill_n(next_lines_, layout_.slice_lines, 0);
  std::fill_n(givers_, layout_.slice_lines, 0);
  auto read = found_.repeats().for_each(slice, [&](const Repeat& repeat) {
    next_lines_[repeat.line - first_line_] = repeat.next_line;
  });
  if (!read) return read;
  const auto give = [&](const Donor& donor) { givers_[donor.line - first_line_] = donor.seq; };
  read = found_.donors().for_each(slice, give);
  // An item of this very input is the better giver: its answer cannot have become useless.
  return read ? passed_on_.for_each(slice, give) : read;
}

Status RepeatFold::add(std::uint64_t line, LineKind kind, std::uint64_t seq, bool succeeded) {
  const std::uint64_t place = line - first_line_;
  std::uint64_t giver = givers_[place];
  if (kind == LineKind::todo || kind == LineKind::todo_again) {
    if (giver != 0) {
      ++count_;
      if (auto added = writer_.add(line, LineKind::todo, giver); !added) return added;
    }
    giver = seq;
  } else if (succeeded) {
    giver = seq;
  }
  const std::uint64_t next = next_lines_[place];
  if (next == 0 || giver == 0) return {};
  if (next - first_line_ < layout_.slice_lines) {
    givers_[next - first_line_] = giver;
    return {};
  }
  return passed_on_.append(static_cast<std::size_t>((next - 1) / layout_.slice_lines),
                           {next, giver});
}

Result<std::unique_ptr<LineRunStream>> RepeatFold::finish() {
  if (auto finished = writer_.finish(); !finished) return forward_error(finished);
  return count_ == 0 ? nullptr : make_line_run_stream(file_);
}

}  // namespace llmbatch
