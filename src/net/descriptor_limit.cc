#include "llmbatch/net/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace llmbatch {
namespace {

/// More would only make closing all descriptors in child processes slow.
constexpr rlim_t kMostDescriptors = 1 << 20;
constexpr std::size_t kReserved = 64;

}  // namespace

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kReserved;
  const rlim_t wanted = std::min(limit.rlim_max, kMostDescriptors);
  if (limit.rlim_cur < wanted) {
    const rlimit raised{.rlim_cur = wanted, .rlim_max = limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit.rlim_cur = wanted;
  }
  const auto usable = static_cast<std::size_t>(std::min(limit.rlim_cur, kMostDescriptors));
  return usable > 2 * kReserved ? usable - kReserved : usable / 2;
}

}  // namespace llmbatch
