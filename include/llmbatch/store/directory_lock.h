// DirectoryLock: one process works in a directory of several databases, as `compare` does. The lock
// of a database, on a file `DIRECTORY.lock`. Thread rule: one thread; held until destroyed, or
// until the process ends in whatever way.
#pragma once

#include <memory>
#include <string>

#include "llmbatch/base/clock.h"
#include "llmbatch/base/result.h"

namespace llmbatch {

class WriteLock;

class DirectoryLock {
 public:
  /// Fails at once with ErrorKind::in_use, naming the holder and its `command`, or ErrorKind::usage
  /// when the lock file cannot be written.
  static Result<DirectoryLock> acquire(const std::string& directory, const std::string& command,
                                       WallTime now);
  DirectoryLock(DirectoryLock&&) noexcept;
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(std::unique_ptr<WriteLock> lock);
  std::unique_ptr<WriteLock> lock_;
};

}  // namespace llmbatch
