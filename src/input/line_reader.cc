#include "llmbatch/input/line_reader.h"

#include <algorithm>
#include <cstring>

namespace llmbatch {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::size_t find_line_end(const char* data, std::size_t from, std::size_t size) {
  const void* found = std::memchr(data + from, '\n', size - from);
  return found == nullptr ? size : static_cast<std::size_t>(static_cast<const char*>(found) - data);
}

/// Bytes up to and including the last line end in [from, size), 0 when there is none.
std::size_t whole_lines(const char* data, std::size_t from, std::size_t size) {
  const void* found = memrchr(data + from, '\n', size - from);
  return found == nullptr ? 0
                          : static_cast<std::size_t>(static_cast<const char*>(found) - data) + 1;
}

/// Vectors of bytes: a plain loop is compiled to one byte at a time, and vectors wider than those
/// of every machine to worse.
std::uint64_t count_line_ends(const char* data, std::size_t size) {
  using Bytes = unsigned char __attribute__((vector_size(16)));
  constexpr std::size_t kLane = sizeof(Bytes);
  const Bytes newline = Bytes{} + static_cast<unsigned char>('\n');
  constexpr std::size_t kStepsBeforeOverflow = 255;
  std::uint64_t total = 0;
  std::size_t i = 0;
  while (i + kLane <= size) {
    const std::size_t steps = std::min(kStepsBeforeOverflow, (size - i) / kLane);
    Bytes sums{};
    for (std::size_t step = 0; step < steps; ++step, i += kLane) {
      Bytes bytes;
      std::memcpy(&bytes, data + i, kLane);
      sums -= reinterpret_cast<Bytes>(bytes == newline);
    }
    for (std::size_t lane = 0; lane < kLane; ++lane) total += sums[lane];
  }
  for (; i < size; ++i) total += data[i] == '\n' ? 1 : 0;
  return total;
}

}  // namespace

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r") == std::string_view::npos;
}

LineSplitter::LineSplitter(const Chunk& chunk, std::uint64_t number)
    : chunk_(&chunk), number_(number) {
  const std::string_view start(chunk.buffer.data(), chunk.size_bytes);
  if (chunk.offset_bytes == 0 && start.starts_with(kByteOrderMark)) {
    position_ = kByteOrderMark.size();
    // A file of nothing but the mark has no line.
    if (position_ == chunk.size_bytes) chunk_ = nullptr;
  }
}

bool LineSplitter::next(Line& line) {
  if (chunk_ == nullptr || position_ >= chunk_->size_bytes) return false;
  const char* data = chunk_->buffer.data();
  std::size_t end = find_line_end(data, position_, chunk_->size_bytes);
  const std::size_t start = position_;
  position_ = end + 1;
  if (end > start && data[end - 1] == '\r') --end;
  line.text = std::string_view(data + start, end - start);
  line.number = number_++;
  line.offset_bytes = chunk_->offset_bytes + start;
  line.overlong = chunk_->overlong;
  return true;
}

std::uint64_t LineSplitter::count() const {
  if (chunk_ == nullptr || position_ >= chunk_->size_bytes) return 0;
  const char* data = chunk_->buffer.data();
  const bool open_end = data[chunk_->size_bytes - 1] != '\n';
  return count_line_ends(data + position_, chunk_->size_bytes - position_) + (open_end ? 1 : 0);
}

std::uint64_t LineSplitter::skip(std::uint64_t count) {
  if (chunk_ == nullptr || count == 0) return 0;
  const char* data = chunk_->buffer.data();
  const std::size_t size = chunk_->size_bytes;
  if (position_ >= size) return 0;
  // Counting is many times faster than finding; only the last chunk of a skip is searched.
  const std::uint64_t there = this->count();
  if (there <= count) {
    position_ = size;
    number_ += there;
    return there;
  }
  for (std::uint64_t i = 0; i < count; ++i) position_ = find_line_end(data, position_, size) + 1;
  number_ += count;
  return count;
}

void ChunkReader::begin(Chunk& chunk) {
  const std::size_t usual = chunk_bytes_ + kLinePaddingBytes;
  const std::size_t needed = std::max(usual, carry_bytes_ + chunk_bytes_ / 2 + kLinePaddingBytes);
  if (chunk.buffer.size() < needed || chunk.buffer.size() > 4 * std::max(usual, needed)) {
    chunk.buffer.resize(needed);
  }
  if (carry_bytes_ > 0) std::memcpy(chunk.buffer.data(), carry_.data(), carry_bytes_);
  chunk.size_bytes = carry_bytes_;
  chunk.offset_bytes = offset_bytes_;
  chunk.overlong = false;
  carry_bytes_ = 0;
  if (carry_.size() > 4 * usual) carry_.release();
}

/// Reads until the buffer is full or the input ends; false when nothing more came.
Result<bool> ChunkReader::fill(Chunk& chunk) {
  const std::size_t before = chunk.size_bytes;
  while (!ended_ && chunk.size_bytes + kLinePaddingBytes < chunk.buffer.size()) {
    auto count = source_->read(chunk.buffer.data() + chunk.size_bytes,
                               chunk.buffer.size() - kLinePaddingBytes - chunk.size_bytes);
    if (!count) return forward_error(count);
    if (*count == 0) ended_ = true;
    chunk.size_bytes += *count;
  }
  return chunk.size_bytes > before;
}

void ChunkReader::keep_tail(Chunk& chunk, std::size_t whole_bytes) {
  carry_bytes_ = chunk.size_bytes - whole_bytes;
  if (carry_.size() < carry_bytes_) carry_.resize(carry_bytes_);
  if (carry_bytes_ > 0) {
    std::memcpy(carry_.data(), chunk.buffer.data() + whole_bytes, carry_bytes_);
  }
  chunk.size_bytes = whole_bytes;
}

Status ChunkReader::drop_rest_of_line(Chunk& chunk) {
  chunk.overlong = true;
  offset_bytes_ += chunk.size_bytes;
  PageBuffer text(kOverlongTextBytes + kLinePaddingBytes);
  const std::size_t kept = std::min(chunk.size_bytes, kOverlongTextBytes);
  std::memcpy(text.data(), chunk.buffer.data(), kept);
  PageBuffer rest = std::move(chunk.buffer);
  rest.resize(chunk_bytes_ + kLinePaddingBytes);
  chunk.buffer = std::move(text);
  chunk.size_bytes = kept;
  for (;;) {
    auto count = source_->read(rest.data(), chunk_bytes_);
    if (!count) return forward_error(count);
    if (*count == 0) {
      ended_ = true;
      return {};
    }
    const std::size_t end = find_line_end(rest.data(), 0, *count);
    if (end == *count) {
      offset_bytes_ += *count;
      continue;
    }
    offset_bytes_ += end + 1;
    carry_bytes_ = *count - end - 1;
    if (carry_.size() < carry_bytes_) carry_.resize(carry_bytes_);
    if (carry_bytes_ > 0) std::memcpy(carry_.data(), rest.data() + end + 1, carry_bytes_);
    return {};
  }
}

Result<bool> ChunkReader::next(Chunk& chunk) {
  begin(chunk);
  std::size_t searched = 0;
  for (;;) {
    if (auto filled = fill(chunk); !filled) return forward_error(filled);
    const std::size_t whole = whole_lines(chunk.buffer.data(), searched, chunk.size_bytes);
    if (whole > 0) {
      keep_tail(chunk, whole);
      break;
    }
    if (ended_) break;
    searched = chunk.size_bytes;
    if (chunk.size_bytes > max_line_bytes_) {
      if (auto dropped = drop_rest_of_line(chunk); !dropped) return forward_error(dropped);
      return true;
    }
    const std::size_t doubled = 2 * (chunk.buffer.size() - kLinePaddingBytes);
    chunk.buffer.resize(std::min(doubled, max_line_bytes_ + chunk_bytes_) + kLinePaddingBytes);
  }
  offset_bytes_ += chunk.size_bytes;
  return chunk.size_bytes > 0;
}

Status ChunkReader::seek(std::uint64_t offset_bytes) {
  carry_bytes_ = 0;
  ended_ = false;
  offset_bytes_ = offset_bytes;
  return source_->seek(offset_bytes);
}

Result<bool> LineReader::load() {
  auto more = chunks_.next(chunk_);
  if (!more || !*more) return more;
  splitter_ = LineSplitter(chunk_, number_);
  ++loads_;
  return true;
}

Result<bool> LineReader::next(Line& line) {
  while (!splitter_.next(line)) {
    auto more = load();
    if (!more || !*more) return more;
  }
  number_ = splitter_.next_number();
  return true;
}

Result<std::uint64_t> LineReader::skip(std::uint64_t count) {
  std::uint64_t skipped = 0;
  for (;;) {
    const std::uint64_t here = splitter_.skip(count - skipped);
    skipped += here;
    number_ += here;
    if (skipped == count) return skipped;
    auto more = load();
    if (!more) return forward_error(more);
    if (!*more) return skipped;
  }
}

Status LineReader::seek(std::uint64_t offset_bytes, std::uint64_t number) {
  splitter_ = LineSplitter();
  number_ = number;
  return chunks_.seek(offset_bytes);
}

}  // namespace llmbatch
