#include "llmbatch/report/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace llmbatch {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;
constexpr int kNameTries = 100;

Status file_error(const std::string& path, std::string_view what, int code) {
  return failure(fmt::format("{}: cannot {} ({})", path, what, errno_text(code)));
}

// A symbolic link stays one: the file that it points to is replaced.
std::string resolve_link(const std::string& path) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string result(resolved);
  std::free(resolved);
  return result;
}

struct Temporary {
  UniqueFd fd;
  std::string path;
};

Result<Temporary> create_beside(const std::string& target, mode_t mode) {
  for (int i = 0; i < kNameTries; ++i) {
    std::string path = fmt::format("{}.{}-{}.tmp", target, ::getpid(), i);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd >= 0) return Temporary{UniqueFd(fd), std::move(path)};
    if (errno != EEXIST) break;
  }
  return usage_error(fmt::format("{}: cannot be written ({})", target, errno_text(errno)));
}

}  // namespace

Result<OutputFile> OutputFile::open(const std::string& path) {
  if (path == "-" || path == "/dev/stdout") return borrow(STDOUT_FILENO, "standard output");
  struct stat info {};
  const bool exists = ::stat(path.c_str(), &info) == 0;
  if (exists && !S_ISREG(info.st_mode)) {
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd.valid()) {
      return usage_error(fmt::format("{}: cannot be written ({})", path, errno_text(errno)));
    }
    const int number = fd.get();
    return OutputFile(std::move(fd), number, path, "");
  }
  const std::string target = exists ? resolve_link(path) : path;
  auto temporary = create_beside(target, 0666);
  if (!temporary) return forward_error(temporary);
  const int number = temporary->fd.get();
  OutputFile file(std::move(temporary->fd), number, target, std::move(temporary->path));
  // A file that others may not read must not become readable by being replaced.
  if (exists && ::fchmod(number, info.st_mode & 07777) != 0) {
    return usage_error(fmt::format("{}: cannot keep its mode ({})", path, errno_text(errno)));
  }
  return file;
}

OutputFile OutputFile::borrow(int fd, std::string name) {
  return {UniqueFd(), fd, std::move(name), ""};
}

OutputFile::OutputFile(UniqueFd owned, int fd, std::string path, std::string temporary_path)
    : owned_(std::move(owned)),
      fd_(fd),
      path_(std::move(path)),
      temporary_path_(std::move(temporary_path)) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : owned_(std::move(other.owned_)),
      fd_(other.fd_),
      path_(std::move(other.path_)),
      temporary_path_(std::exchange(other.temporary_path_, std::string())),
      buffer_(std::exchange(other.buffer_, std::string())),
      reader_gone_(other.reader_gone_) {}

OutputFile::~OutputFile() {
  if (!temporary_path_.empty()) ::unlink(temporary_path_.c_str());
}

Status OutputFile::write(std::string_view bytes) {
  if (reader_gone_) return {};
  buffer_ += bytes;
  return buffer_.size() < kBufferBytes ? Status{} : flush();
}

Status OutputFile::finish() {
  if (auto flushed = flush(); !flushed) return flushed;
  if (temporary_path_.empty()) return {};
  if (::fsync(fd_) != 0) return file_error(path_, "sync", errno);
  if (::rename(temporary_path_.c_str(), path_.c_str()) != 0) {
    return file_error(path_, "replace", errno);
  }
  temporary_path_.clear();
  return {};
}

// Not write_all(): its error does not say whether the reader is gone, which is no error here.
Status OutputFile::flush() {
  std::string_view left = buffer_;
  while (!left.empty() && !reader_gone_) {
    const ssize_t count = ::write(fd_, left.data(), left.size());
    if (count >= 0) {
      left.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EPIPE) {
      reader_gone_ = true;
    } else if (errno != EINTR) {
      return file_error(path_, "write", errno);
    }
  }
  buffer_.clear();
  return {};
}

}  // namespace llmbatch
