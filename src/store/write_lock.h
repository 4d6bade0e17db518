// WriteLock: one process writes a database. An flock on a file beside it, which names its holder.
// Not on the database itself, because closing any descriptor of that file would drop SQLite's own
// locks. Thread rule: one thread; held until destroyed, or until the process ends in whatever way.
#pragma once

#include <string>

#include "llmbatch/base/clock.h"
#include "llmbatch/base/fd.h"
#include "llmbatch/base/result.h"

namespace llmbatch {

class WriteLock {
 public:
  /// Fails at once with ErrorKind::in_use, naming the holder, or ErrorKind::usage when the lock
  /// file
  /// `<database>.lock` cannot be written.
  static Result<WriteLock> acquire(const std::string& database, const std::string& command,
                                   WallTime now);
  WriteLock(WriteLock&&) = default;
  WriteLock& operator=(WriteLock&&) = delete;
  /// Removes the lock file, then lets go of the lock.
  ~WriteLock();

 private:
  WriteLock(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  UniqueFd fd_;
  std::string path_;
};

}  // namespace llmbatch
