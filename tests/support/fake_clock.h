// A clock that moves only when the test says so. Safe from any thread.
#pragma once

#include <atomic>

#include "llmbatch/base/clock.h"

namespace llmbatch {

class FakeClock final : public Clock {
 public:
  SteadyTime now() const override { return SteadyTime(Duration(steady_.load())); }
  WallTime wall_now() const override { return WallTime(Duration(wall_.load())); }

  void advance(Duration by) {
    steady_ += by.count();
    wall_ += by.count();
  }
  void advance_to(SteadyTime time) {
    if (time > now()) advance(time - now());
  }
  /// The wall clock alone jumps, as after a time correction.
  void jump_wall(Duration by) { wall_ += by.count(); }

 private:
  std::atomic<std::int64_t> steady_{1'000'000'000'000};
  std::atomic<std::int64_t> wall_{1'790'000'000'000'000'000};
};

}  // namespace llmbatch
