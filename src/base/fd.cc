#include "llmbatch/base/fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace llmbatch {
namespace {

std::string path_error(const std::string& path, std::string_view what, int code) {
  return path + ": " + std::string(what) + ": " + errno_text(code);
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

/// Creates a file that did not exist, named after `path`; its name goes to `name`.
Result<UniqueFd> create_beside(const std::string& path, mode_t mode, std::string& name) {
  constexpr int kMostTries = 100;
  for (int attempt = 0; attempt < kMostTries; ++attempt) {
    name = path + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(attempt);
    UniqueFd fd(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (fd.valid()) return fd;
    if (errno != EEXIST) break;
  }
  return failure(path_error(path, "cannot create", errno));
}

/// The rename is durable only once the directory is.
void sync_directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  std::string directory = ".";
  if (slash != std::string::npos) directory = slash == 0 ? "/" : path.substr(0, slash);
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot sync a directory; the content itself is safe by then.
  if (fd.valid()) ::fsync(fd.get());
}

Status write_in_place(const std::string& path, std::string_view content) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return failure(path_error(path, "cannot open for writing", errno));
  if (const Status written = write_all(fd.get(), content); !written) {
    return failure(path + ": " + written.error().message);
  }
  return {};
}

}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) reset(other.release());
  return *this;
}

int UniqueFd::release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

void UniqueFd::reset(int fd) {
  // On Linux the descriptor is gone even when close reports EINTR: never close twice.
  if (fd_ >= 0 && fd_ != fd) ::close(fd_);
  fd_ = fd;
}

std::string errno_text(int code) {
  std::array<char, 256> buffer{};
  std::string text = ::strerror_r(code, buffer.data(), buffer.size());
  // Messages are lower case, but an abbreviation at the front stays as it is.
  if (text.size() > 1 && is_upper(text[0]) && !is_upper(text[1]) && text[1] != '/') {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  return text;
}

Result<UniqueFd> open_for_reading(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return usage_error(path_error(path, "cannot open", errno));
  struct stat info {};
  if (::fstat(fd.get(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return usage_error(path_error(path, "cannot open", EISDIR));
  }
  return fd;
}

Result<UniqueFd> open_temporary_file(const std::string& directory) {
  const std::string where = directory.empty() ? "." : directory;
  UniqueFd fd(::open(where.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd.valid()) return fd;
  // Not every file system has O_TMPFILE.
  std::string name = where + "/.llmbatch-XXXXXX";
  fd.reset(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd.valid()) return failure(path_error(where, "cannot create a temporary file", errno));
  ::unlink(name.c_str());
  return fd;
}

Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      return failure("cannot write: " + errno_text(errno));
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Status pwrite_all(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0) {
      if (errno == EINTR) continue;
      return failure("cannot write: " + errno_text(errno));
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<std::size_t> pread_all(int fd, char* buffer, std::size_t size, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count =
        ::pread(fd, buffer + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0) {
      if (errno == EINTR) continue;
      return failure("cannot read: " + errno_text(errno));
    }
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  const Result<UniqueFd> fd = open_for_reading(path);
  if (!fd) return forward_error(fd);
  std::string content;
  constexpr std::size_t kChunk = 65536;
  std::array<char, kChunk> chunk{};
  while (true) {
    const ssize_t count = ::read(fd->get(), chunk.data(), chunk.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      return usage_error(path_error(path, "cannot read", errno));
    }
    if (count == 0) return content;
    content.append(chunk.data(), static_cast<std::size_t>(count));
    if (content.size() > max_bytes) {
      return usage_error(path + ": too large (more than " + std::to_string(max_bytes) + " bytes)");
    }
  }
}

Status write_file_atomically(const std::string& path, std::string_view content) {
  struct stat info {};
  const bool exists = ::stat(path.c_str(), &info) == 0;
  // A pipe, terminal or device must be written to, never replaced by a file.
  if (exists && !S_ISREG(info.st_mode)) return write_in_place(path, content);
  std::string temporary;
  const Result<UniqueFd> fd = create_beside(path, 0666, temporary);
  if (!fd) return forward_error(fd);
  const auto give_up = [&](std::string message) {
    ::unlink(temporary.c_str());
    return failure(std::move(message));
  };
  if (exists && ::fchmod(fd->get(), info.st_mode & 07777U) != 0) {
    return give_up(path_error(path, "cannot set permissions", errno));
  }
  if (const Status written = write_all(fd->get(), content); !written) {
    return give_up(path + ": " + written.error().message);
  }
  if (::fsync(fd->get()) != 0) return give_up(path_error(path, "cannot sync", errno));
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return give_up(path_error(path, "cannot replace", errno));
  }
  sync_directory_of(path);
  return {};
}

}  // namespace llmbatch
