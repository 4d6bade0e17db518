#include "llmbatch/app/output_target.h"

#include <fmt/format.h>
#include <sys/stat.h>

namespace llmbatch {
namespace {

/// True when both names are the same file.
bool same_file(const std::string& a, const std::string& b) {
  struct stat first {};
  struct stat second {};
  return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

}  // namespace

Status check_output_target(const std::string& target, const std::string& database,
                           StoreReader& reader) {
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    if (same_file(target, database + suffix)) {
      return usage_error(fmt::format("--output {}: is the database itself", target));
    }
  }
  const auto stored = reader.last_input();
  if (!stored) return forward_error(stored);
  if (*stored && same_file(target, (*stored)->identity.path)) {
    return usage_error(fmt::format("--output {}: is the input of the job", target));
  }
  return {};
}

}  // namespace llmbatch
