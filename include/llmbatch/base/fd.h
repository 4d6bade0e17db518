// UniqueFd: owns a file descriptor. Plus whole-buffer reads and writes that survive EINTR.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "llmbatch/base/result.h"

namespace llmbatch {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release();
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

/// The text of errno `code`, thread safe.
std::string errno_text(int code);

/// Opens for reading; the error names the path and why.
Result<UniqueFd> open_for_reading(const std::string& path);

/// An unlinked temporary file in `directory` (which may be that of the database, so that large
/// files land on its disk). Bytes are gone when the descriptor is closed.
Result<UniqueFd> open_temporary_file(const std::string& directory);

/// Writes all of `bytes`; fails with the errno text.
Status write_all(int fd, std::string_view bytes);
/// Writes all of `bytes` at `offset`.
Status pwrite_all(int fd, std::string_view bytes, std::uint64_t offset);
/// Reads up to `size` bytes at `offset`; fewer only at the end of the file.
Result<std::size_t> pread_all(int fd, char* buffer, std::size_t size, std::uint64_t offset);

/// The whole of a file, at most `max_bytes`.
Result<std::string> read_file(const std::string& path, std::size_t max_bytes);

/// Writes `content` to a temporary file beside `path`, syncs it and renames it over `path`.
Status write_file_atomically(const std::string& path, std::string_view content);

}  // namespace llmbatch
