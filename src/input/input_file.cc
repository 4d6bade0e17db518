#include "llmbatch/input/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "llmbatch/base/hash.h"
#include "llmbatch/input/page_buffer.h"

namespace llmbatch {
namespace {

constexpr std::size_t kSpoolChunkBytes = 256 * 1024;
constexpr std::size_t kEndBytes = 64 * 1024;

Result<struct stat> stat_of(int fd, const std::string& name) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return usage_error(name + ": " + errno_text(errno));
  if (S_ISDIR(info.st_mode)) return usage_error(name + ": is a directory");
  return info;
}

std::int64_t to_nanos(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

Result<UniqueFd> spool(int fd, const std::string& name, const std::string& directory) {
  auto copy = open_temporary_file(directory);
  if (!copy) return forward_error(copy);
  PageBuffer buffer(kSpoolChunkBytes);
  for (;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return usage_error(name + ": cannot be read: " + errno_text(errno));
    if (count == 0) return std::move(*copy);
    auto written =
        write_all(copy->get(), std::string_view(buffer.data(), static_cast<std::size_t>(count)));
    if (!written) return failure(name + ": cannot be kept: " + written.error().message);
  }
}

std::string absolute_path(const std::string& path) {
  char* resolved = realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string result(resolved);
  std::free(resolved);
  return result;
}

Result<Hash128> hash_ends(int fd, std::uint64_t size_bytes, const std::string& name) {
  PageBuffer buffer(2 * kEndBytes);
  const auto first_bytes = static_cast<std::size_t>(std::min<std::uint64_t>(kEndBytes, size_bytes));
  auto first = pread_all(fd, buffer.data(), first_bytes, 0);
  if (!first) return usage_error(name + ": cannot be read: " + first.error().message);
  const std::uint64_t last_offset = size_bytes > kEndBytes ? size_bytes - kEndBytes : 0;
  auto last = pread_all(fd, buffer.data() + *first, first_bytes, last_offset);
  if (!last) return usage_error(name + ": cannot be read: " + last.error().message);
  return hash128(std::string_view(buffer.data(), *first + *last));
}

}  // namespace

Result<InputFile> InputFile::open(const std::string& path, const std::string& spool_directory) {
  InputFile input;
  input.name_ = path == "-" ? "stdin" : path;
  UniqueFd fd;
  if (path == "-") {
    fd.reset(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
    if (!fd.valid()) return usage_error("stdin: " + errno_text(errno));
  } else {
    auto opened = open_for_reading(path);
    if (!opened) return usage_error(opened.error().message);
    fd = std::move(*opened);
  }
  auto info = stat_of(fd.get(), input.name_);
  if (!info) return forward_error(info);
  if (path == "-" || !S_ISREG(info->st_mode)) {
    auto copy = spool(fd.get(), input.name_, spool_directory);
    if (!copy) return forward_error(copy);
    fd = std::move(*copy);
    input.spooled_ = true;
    info = stat_of(fd.get(), input.name_);
    if (!info) return forward_error(info);
  }
  input.path_ = input.spooled_ ? "-" : absolute_path(path);
  input.size_bytes_ = static_cast<std::uint64_t>(info->st_size);
  input.fd_ = std::make_shared<const UniqueFd>(std::move(fd));
  auto source = input.bytes();
  if (!source) return forward_error(source);
  input.compressed_ = !(*source)->seekable();
  return input;
}

Result<std::unique_ptr<ByteSource>> InputFile::bytes() const {
  return make_byte_source(fd_, name_);
}

Result<InputIdentity> InputFile::identity() const {
  auto info = stat_of(fd_->get(), name_);
  if (!info) return forward_error(info);
  InputIdentity identity;
  identity.path = path_;
  identity.device = info->st_dev;
  identity.inode = info->st_ino;
  identity.size_bytes = static_cast<std::uint64_t>(info->st_size);
  identity.mtime_nanos = to_nanos(info->st_mtim);
  identity.ctime_nanos = to_nanos(info->st_ctim);
  auto ends = hash_ends(fd_->get(), identity.size_bytes, name_);
  if (!ends) return forward_error(ends);
  identity.ends = *ends;
  return identity;
}

Result<bool> InputFile::still_holds(InputIdentity& seen) const {
  struct stat info {};
  if (fstat(fd_->get(), &info) != 0) return usage_error(name_ + ": " + errno_text(errno));
  const auto size = static_cast<std::uint64_t>(info.st_size);
  const std::int64_t mtime = to_nanos(info.st_mtim);
  const std::int64_t ctime = to_nanos(info.st_ctim);
  if (mtime == seen.mtime_nanos && ctime == seen.ctime_nanos) return true;
  if (size < seen.size_bytes) return false;
  auto ends = hash_ends(fd_->get(), seen.size_bytes, name_);
  if (!ends) return forward_error(ends);
  if (*ends != seen.ends) return false;
  seen.mtime_nanos = mtime;
  seen.ctime_nanos = ctime;
  return true;
}

Result<std::string> InputFile::fetch(const InputPlace& place) const {
  if (compressed_) return usage_error(name_ + ": a line of a compressed file cannot be sought");
  const std::string where = name_ + ":" + std::to_string(place.line);
  // One byte before and two behind show whether the place still is a line.
  const std::uint64_t before = place.offset_bytes > 0 ? 1 : 0;
  std::string text(before + place.length_bytes + 2, '\0');
  auto count = pread_all(fd_->get(), text.data(), text.size(), place.offset_bytes - before);
  if (!count) return usage_error(where + ": cannot be read: " + count.error().message);
  const std::string gone = where + ": the file changed, the line is no longer there";
  if (*count < before + place.length_bytes) return usage_error(gone);
  text.resize(*count);
  const std::string_view behind = std::string_view(text).substr(before + place.length_bytes);
  const bool ends = behind.empty() || behind[0] == '\n' || behind == "\r\n" || behind == "\r";
  const bool begins = before == 0 || text[0] == '\n' || place.offset_bytes == 3;
  if (!ends || !begins) return usage_error(gone);
  return text.substr(before, place.length_bytes);
}

Result<InputIdentity> identify_input(const std::string& path) {
  auto fd = open_for_reading(path);
  if (!fd) return usage_error(fd.error().message);
  auto info = stat_of(fd->get(), path);
  if (!info) return forward_error(info);
  if (!S_ISREG(info->st_mode)) return usage_error(path + ": is not a regular file");
  fd->reset();
  auto input = InputFile::open(path, "");
  if (!input) return forward_error(input);
  return input->identity();
}

}  // namespace llmbatch
