#include "llmbatch/base/thread_turns.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace llmbatch {
namespace {

/// struct sched_attr of sched_setattr(2), which the C library does not declare.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = SCHED_OTHER;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_nanos = 0;  ///< for SCHED_OTHER: the length of a turn
  std::uint64_t deadline_nanos = 0;
  std::uint64_t period_nanos = 0;
};

constexpr std::uint64_t kTurnNanos = 100'000;  // the shortest that Linux takes

}  // namespace

void ask_for_short_turns() {
  SchedulingAttributes attributes;
  // The nice value is set along with the rest; it stays what it is.
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
  if (attributes.policy != SCHED_OTHER) return;
  attributes.runtime_nanos = kTurnNanos;
  ::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace llmbatch
