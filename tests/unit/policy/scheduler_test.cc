#include "llmbatch/policy/scheduler.h"

#include <gtest/gtest.h>

namespace llmbatch {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kNow{100s};

std::vector<Scheduler::Slot> take_all(Scheduler& scheduler) {
  std::vector<Scheduler::Slot> slots;
  while (const auto slot = scheduler.peek()) {
    slots.push_back(*slot);
    scheduler.pop();
  }
  return slots;
}

TEST(Scheduler, FreshItemsKeepTheirOrder) {
  Scheduler scheduler;
  for (const Scheduler::Slot slot : {3u, 1u, 2u}) scheduler.add_ready(slot);
  EXPECT_EQ(take_all(scheduler), (std::vector<Scheduler::Slot>{3, 1, 2}));
}

TEST(Scheduler, RetriesWaitUntilDueAndTakeTurns) {
  Scheduler scheduler;
  for (const Scheduler::Slot slot : {1u, 2u, 3u}) scheduler.add_ready(slot);
  scheduler.delay(11, kNow + 2s);
  scheduler.delay(10, kNow + 1s);
  scheduler.delay(12, kNow + 9s);
  scheduler.advance(kNow + 2s);
  EXPECT_EQ(scheduler.next_due(), kNow + 9s);
  EXPECT_EQ(take_all(scheduler), (std::vector<Scheduler::Slot>{10, 1, 11, 2, 3}));
  EXPECT_EQ(scheduler.waiting(), 1u);
}

TEST(Scheduler, DrainReturnsEverythingThatWaits) {
  Scheduler scheduler;
  scheduler.add_ready(1);
  scheduler.delay(2, kNow);
  scheduler.delay(3, kNow + 5s);
  scheduler.advance(kNow);
  EXPECT_EQ(scheduler.drain().size(), 3u);
  EXPECT_EQ(scheduler.waiting(), 0u);
}

}  // namespace
}  // namespace llmbatch
