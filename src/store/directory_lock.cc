#include "llmbatch/store/directory_lock.h"

#include <utility>

#include "write_lock.h"

namespace llmbatch {

DirectoryLock::DirectoryLock(std::unique_ptr<WriteLock> lock) : lock_(std::move(lock)) {}
DirectoryLock::DirectoryLock(DirectoryLock&&) noexcept = default;
DirectoryLock::~DirectoryLock() = default;

Result<DirectoryLock> DirectoryLock::acquire(const std::string& directory,
                                             const std::string& command, WallTime now) {
  auto lock = WriteLock::acquire(directory, command, now);
  if (!lock) return forward_error(lock);
  return DirectoryLock(std::make_unique<WriteLock>(std::move(*lock)));
}

}  // namespace llmbatch
