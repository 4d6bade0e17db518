#include "packed_records.h"

#include <array>

namespace llmbatch {
namespace {

constexpr std::size_t kHashBytes = 16;

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80U));
    value >>= 7U;
  }
  out.push_back(static_cast<char>(value));
}

bool take_varint(std::string_view& rest, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// Differences wrap around in unsigned arithmetic, so that every pair of seqs has one.
std::uint64_t zigzag(std::uint64_t difference) {
  return (difference << 1U) ^ (0 - (difference >> 63U));
}

std::uint64_t unzigzag(std::uint64_t value) { return (value >> 1U) ^ (0 - (value & 1U)); }

void append_hash(std::string& out, const Hash128& hash) {
  std::array<char, kHashBytes> bytes{};
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<char>(hash.high >> (56 - 8 * i));
    bytes[8 + i] = static_cast<char>(hash.low >> (56 - 8 * i));
  }
  out.append(bytes.data(), bytes.size());
}

std::uint64_t take_word(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 8; ++i) word = word << 8U | static_cast<unsigned char>(bytes[i]);
  return word;
}

Hash128 take_hash(std::string_view& rest) {
  const Hash128 hash{take_word(rest), take_word(rest.substr(8))};
  rest.remove_prefix(kHashBytes);
  return hash;
}

}  // namespace

bool has_seq(LineKind kind) {
  return kind == LineKind::todo || kind == LineKind::todo_again || kind == LineKind::done;
}

void IndexRecordPacker::add(const IndexRecord& record) {
  append_varint(bytes_, zigzag(record.seq - last_seq_));
  bytes_.push_back(static_cast<char>(record.state));
  append_hash(bytes_, record.id_hash);
  append_hash(bytes_, record.request_hash);
  last_seq_ = record.seq;
}

void IndexRecordPacker::clear() {
  bytes_.clear();
  last_seq_ = 0;
}

bool IndexRecordUnpacker::next(IndexRecord& record) {
  if (rest_.empty() || damaged_) return false;
  std::uint64_t difference = 0;
  if (!take_varint(rest_, difference) || rest_.size() < 1 + 2 * kHashBytes ||
      static_cast<unsigned char>(rest_.front()) >= kItemStateCount) {
    damaged_ = true;
    return false;
  }
  last_seq_ += unzigzag(difference);
  record.seq = last_seq_;
  record.state = static_cast<ItemState>(rest_.front());
  rest_.remove_prefix(1);
  record.id_hash = take_hash(rest_);
  record.request_hash = take_hash(rest_);
  return true;
}

void LineRunPacker::add(const LineRun& run) {
  append_varint(bytes_, run.first_line - next_line_);
  append_varint(bytes_, run.count);
  bytes_.push_back(static_cast<char>(run.kind));
  next_line_ = run.first_line + run.count;
  if (!has_seq(run.kind)) return;
  append_varint(bytes_, zigzag(run.first_seq - next_seq_));
  next_seq_ = run.first_seq + run.count;
}

bool LineRunUnpacker::next(LineRun& run) {
  if (rest_.empty() || damaged_) return false;
  std::uint64_t gap = 0;
  std::uint64_t difference = 0;
  damaged_ = !take_varint(rest_, gap) || !take_varint(rest_, run.count) || rest_.empty() ||
             static_cast<unsigned char>(rest_.front()) > static_cast<unsigned>(LineKind::invalid);
  if (damaged_) return false;
  run.kind = static_cast<LineKind>(rest_.front());
  rest_.remove_prefix(1);
  run.first_line = next_line_ + gap;
  run.first_seq = 0;
  next_line_ = run.first_line + run.count;
  if (!has_seq(run.kind)) return true;
  damaged_ = !take_varint(rest_, difference);
  if (damaged_) return false;
  run.first_seq = next_seq_ + unzigzag(difference);
  next_seq_ = run.first_seq + run.count;
  return true;
}

}  // namespace llmbatch
