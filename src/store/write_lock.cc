#include "write_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace llmbatch {
namespace {

constexpr int kMaxTries = 100;

/// Symbolic links resolved, so that two names of one database have one lock.
std::string lock_path(const std::string& database) {
  char* resolved = realpath(database.c_str(), nullptr);
  std::string path = resolved != nullptr ? resolved : database;
  std::free(resolved);
  return path + ".lock";
}

/// False when the holder before us removed the file between our open() and flock(): the lock we got
/// then guards a file that nobody else can find.
bool is_still_there(int fd, const std::string& path) {
  struct stat ours {};
  struct stat named {};
  return fstat(fd, &ours) == 0 && stat(path.c_str(), &named) == 0 && ours.st_ino == named.st_ino &&
         ours.st_dev == named.st_dev;
}

/// ` by process 1234 (llmbatch run, since ...)`, as far as the holder has written it.
std::string describe_holder(int fd) {
  std::array<char, 1024> buffer{};
  const Result<std::size_t> size = pread_all(fd, buffer.data(), buffer.size(), 0);
  const std::string_view text(buffer.data(), size ? *size : 0);
  const std::size_t pid_end = text.find('\n');
  const std::size_t since_end =
      pid_end == std::string_view::npos ? pid_end : text.find('\n', pid_end + 1);
  const std::size_t command_end =
      since_end == std::string_view::npos ? since_end : text.find('\n', since_end + 1);
  if (command_end == std::string_view::npos) return " by another process";
  const std::string pid(text.substr(0, pid_end));
  const std::string since(text.substr(pid_end + 1, since_end - pid_end - 1));
  const std::string command(text.substr(since_end + 1, command_end - since_end - 1));
  return " by process " + pid + " (" + command + ", since " + since + ")";
}

tl::unexpected<Error> in_use(const std::string& database, int fd) {
  return failure(database + " is in use" + describe_holder(fd), ErrorKind::in_use);
}

}  // namespace

Result<WriteLock> WriteLock::acquire(const std::string& database, const std::string& command,
                                     WallTime now) {
  const std::string path = lock_path(database);
  for (int attempt = 0; attempt < kMaxTries; ++attempt) {
    UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd.valid()) {
      return usage_error(path + ": could not create the lock file (" + errno_text(errno) + ")");
    }
    if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK) return in_use(database, fd.get());
      return usage_error(path + ": could not lock (" + errno_text(errno) + ")");
    }
    if (!is_still_there(fd.get(), path)) continue;
    std::string one_line = command.substr(0, 200);
    for (char& c : one_line) c = c == '\n' ? ' ' : c;
    const std::string holder =
        std::to_string(getpid()) + "\n" + format_rfc3339(now) + "\n" + one_line + "\n";
    // What stands in the file is for people; a full disk will be told by the database itself.
    if (ftruncate(fd.get(), 0) == 0) static_cast<void>(pwrite_all(fd.get(), holder, 0));
    return WriteLock(std::move(fd), path);
  }
  return failure(path + ": the lock file keeps disappearing", ErrorKind::in_use);
}

WriteLock::~WriteLock() {
  if (fd_.valid()) unlink(path_.c_str());
}

}  // namespace llmbatch
