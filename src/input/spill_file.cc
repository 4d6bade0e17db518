#include "spill_file.h"

#include <algorithm>

namespace llmbatch {
namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;

}  // namespace

Status SpillFile::append(std::string_view bytes) {
  if (buffer_.size() + bytes.size() > kBufferBytes && !buffer_.empty()) {
    if (!file_.valid()) {
      auto file = open_temporary_file(directory_);
      if (!file) return forward_error(file);
      file_ = std::move(*file);
    }
    auto written = pwrite_all(file_.get(), buffer_, written_bytes_);
    if (!written) return failure("temporary file: " + written.error().message);
    written_bytes_ += buffer_.size();
    buffer_.clear();
  }
  buffer_.append(bytes);
  return {};
}

Result<std::size_t> SpillFile::read_at(std::uint64_t offset, char* buffer, std::size_t size) const {
  std::size_t done = 0;
  if (offset < written_bytes_) {
    const auto there = std::min<std::uint64_t>(size, written_bytes_ - offset);
    auto count = pread_all(file_.get(), buffer, there, offset);
    if (!count) return failure("temporary file: " + count.error().message);
    if (*count != there) return failure("temporary file: ends early");
    done = there;
  }
  if (done < size && offset + done < size_bytes()) {
    const std::uint64_t from = offset + done - written_bytes_;
    const std::size_t rest = std::min<std::size_t>(size - done, buffer_.size() - from);
    std::memcpy(buffer + done, buffer_.data() + from, rest);
    done += rest;
  }
  return done;
}

Result<bool> SpillReader::read(char* bytes, std::size_t size) {
  if (buffer_.size() - position_ < size) {
    buffer_.erase(0, position_);
    position_ = 0;
    const std::size_t kept = buffer_.size();
    buffer_.resize(std::max(kBufferBytes, size));
    auto count = file_->read_at(offset_, buffer_.data() + kept, buffer_.size() - kept);
    if (!count) return forward_error(count);
    buffer_.resize(kept + *count);
    offset_ += *count;
    if (buffer_.empty()) return false;
    if (buffer_.size() < size) return failure("temporary file: ends inside a record");
  }
  std::memcpy(bytes, buffer_.data() + position_, size);
  position_ += size;
  return true;
}

void SpillReader::rewind() {
  buffer_.clear();
  position_ = 0;
  offset_ = 0;
}

}  // namespace llmbatch
