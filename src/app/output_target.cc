#include "llmbatch/app/output_target.h"

#include <fmt/format.h>
#include <sys/stat.h>

namespace llmbatch {

bool same_file(const std::string& a, const std::string& b) {
  struct stat first {};
  struct stat second {};
  return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

Status check_output_target(std::string_view option, const std::string& target,
                           const std::string& database, StoreReader& reader) {
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    if (same_file(target, database + suffix)) {
      return usage_error(fmt::format("{} {}: is the database itself", option, target));
    }
  }
  const auto stored = reader.last_input();
  if (!stored) return forward_error(stored);
  if (*stored && same_file(target, (*stored)->identity.path)) {
    return usage_error(fmt::format("{} {}: is the input of the job", option, target));
  }
  return {};
}

}  // namespace llmbatch
