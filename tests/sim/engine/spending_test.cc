// What a run costs, and the limits of cost, items and time, on virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "llmbatch/engine/runner.h"
#include "support/fake_world.h"

namespace llmbatch {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

Money usd(std::string_view decimal) { return *Money::parse_dollars(decimal); }

/// A call of 100 tokens in and 20 out is $0.001 + $0.002; its output is capped at 50 tokens.
constexpr std::int64_t kCallPico = 3'000'000'000;

struct PricedWorld {
  explicit PricedWorld(std::uint64_t items, Script script = nullptr)
      : source(items),
        endpoint(clock, store, script ? std::move(script) : Script(answers)),
        interrupts(clock) {
    status.items[ItemState::pending] = static_cast<std::int64_t>(items);
    settings.concurrency = 20;
    settings.max_error_rate = 1;
    settings.spending.prices =
        *JobPrices::make(PriceTable::shipped(), "custom", "", {usd("10"), usd("100"), {}});
    source.output_cap = 50;
  }
  static ScriptedAnswer answers(std::uint64_t, int, SteadyTime) { return {}; }
  RunResult run() {
    Runner runner({clock, source, endpoint, endpoint, store, monitor, interrupts}, settings,
                  status);
    return runner.run();
  }
  std::int64_t calls() const { return static_cast<std::int64_t>(endpoint.started().size()); }

  FakeClock clock;
  CountingSource source;
  FakeStore store;
  FakeEndpoint endpoint;
  RecordingMonitor monitor;
  PlannedInterrupts interrupts;
  RunnerSettings settings;
  RunStatus status;
};

TEST(Spending, IsStoredWithEveryAttemptAndSummedUp) {
  PricedWorld world(100);
  const RunResult result = world.run();
  EXPECT_EQ(result.status.spent, Money::from_pico(100 * kCallPico));
  EXPECT_EQ(result.status.projected, result.status.spent);
  EXPECT_EQ(result.status.per_item, Money::from_pico(kCallPico));
  for (const ItemUpdate& row : world.store.rows) {
    EXPECT_EQ(row.attempt->cost, Money::from_pico(kCallPico));
  }
}

TEST(Spending, CountsFailedAttemptsThatReportUsageAndRepeatedOnes) {
  PricedWorld world(10, [](std::uint64_t, int call, SteadyTime) {
    ScriptedAnswer answer;
    if (call == 0) answer.error = ErrorClass::truncated;
    answer.usage_with_error = true;
    return answer;
  });
  world.settings.retries.retry_truncated = true;
  const RunResult result = world.run();
  EXPECT_EQ(world.calls(), 20);
  EXPECT_EQ(result.status.spent, Money::from_pico(20 * kCallPico));
  EXPECT_EQ(result.status.per_item, Money::from_pico(2 * kCallPico));
}

TEST(Spending, AnUnknownPriceIsUnknownAndNotZero) {
  PricedWorld world(10);
  world.settings.spending.prices = JobPrices();
  const RunResult result = world.run();
  EXPECT_EQ(result.status.spent, std::nullopt);
  EXPECT_EQ(result.status.projected, std::nullopt);
  EXPECT_EQ(result.status.unpriced, 10);
}

TEST(Spending, TheProvidersOwnFigureWins) {
  PricedWorld world(10, [](std::uint64_t, int, SteadyTime) {
    ScriptedAnswer answer;
    answer.usage.reported_cost = usd("0.5");
    return answer;
  });
  EXPECT_EQ(world.run().status.spent, usd("5"));
}

TEST(MaxCost, IsNeverPassedAndNearlyUsed) {
  PricedWorld world(1000);
  world.settings.spending.max_cost = usd("0.3");
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::paused);
  EXPECT_LE(world.calls() * kCallPico, usd("0.3").pico());
  EXPECT_GE(world.calls(), 95);
  EXPECT_EQ(result.status.spent, Money::from_pico(world.calls() * kCallPico));
  EXPECT_EQ(result.status.items.finished(), world.calls());
  EXPECT_THAT(result.status.pause_reason, HasSubstr("--max-cost $0.30 would be passed"));
  EXPECT_THAT(result.status.pause_reason, HasSubstr("of 1,000 items are done"));
}

TEST(MaxCost, FourCallsAreInFlightUntilTheFirstUsageIsBack) {
  PricedWorld world(100);
  world.settings.spending.max_cost = usd("100");
  EXPECT_EQ(world.run().end, RunEnding::completed);
  const auto& starts = world.endpoint.started();
  EXPECT_LT(starts[3] - starts[0], 500ms);
  EXPECT_GE(starts[4] - starts[0], 500ms);
}

TEST(MaxCost, AnItemLargerThanWhatIsLeftPausesTheRun) {
  PricedWorld world(5);
  world.settings.spending.max_cost = usd("0.004");
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::paused);
  EXPECT_EQ(world.calls(), 0);
  EXPECT_EQ(result.status.spent, Money());
}

TEST(MaxCost, CountsWhatEarlierRunsSpent) {
  PricedWorld world(1000);
  world.settings.spending.max_cost = usd("0.3");
  world.status.known_cost = usd("0.2");
  const RunResult result = world.run();
  EXPECT_LE(world.calls() * kCallPico, usd("0.1").pico());
  EXPECT_GE(world.calls(), 28);
  EXPECT_EQ(result.status.spent, usd("0.2") + Money::from_pico(world.calls() * kCallPico));
}

TEST(MaxCost, RetriesAfterErrorAnswersCostNothing) {
  PricedWorld world(90, [](std::uint64_t, int call, SteadyTime) {
    return ScriptedAnswer{.error = call < 2 ? ErrorClass::server_error : ErrorClass::none};
  });
  world.settings.spending.max_cost = usd("0.3");
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::completed);
  EXPECT_EQ(world.calls(), 270);
  EXPECT_EQ(result.progress.cost_ceiling, Money::from_pico(90 * kCallPico));
}

TEST(MaxCost, ACallThatWasLostStaysReserved) {
  PricedWorld world(1000, [](std::uint64_t item, int, SteadyTime) {
    return ScriptedAnswer{.error = item % 2 == 0 ? ErrorClass::timeout : ErrorClass::none};
  });
  world.settings.spending.max_cost = usd("0.3");
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::paused);
  // Each may have been billed like the others.
  EXPECT_LE(world.calls() * kCallPico, usd("0.3").pico());
  EXPECT_GT(result.progress.cost_ceiling, *result.status.spent);
  EXPECT_THAT(result.status.pause_reason, HasSubstr("for calls whose answers were lost"));
}

TEST(MaxCost, HoldsAcrossKills) {
  Money spent;
  Money ceiling;
  std::int64_t calls = 0;
  for (int run = 0; run < 12; ++run) {
    PricedWorld world(1000);
    world.settings.spending.max_cost = usd("0.9");
    world.status.known_cost = spent;
    world.settings.spending.held = ceiling - spent;
    if (run < 11) world.store.fail_after = 17;
    world.run();
    calls += world.calls();
    for (const ItemUpdate& row : world.store.rows) spent += row.attempt->cost.value_or(Money());
    ceiling = std::max(world.store.last_progress.cost_ceiling, spent);
    ASSERT_LE(calls * kCallPico, ceiling.pico()) << "a call that the stored ceiling does not cover";
    ASSERT_LE(ceiling, usd("0.9"));
  }
  EXPECT_GE(calls, 200);
}

TEST(MaxItems, ThatManyAreTakenUpAndFinished) {
  PricedWorld world(100, [](std::uint64_t, int call, SteadyTime) {
    return ScriptedAnswer{.error = call == 0 ? ErrorClass::server_error : ErrorClass::none};
  });
  world.settings.max_items = 30;
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::paused);
  EXPECT_EQ(result.status.items[ItemState::succeeded], 30);
  EXPECT_EQ(world.calls(), 60);
  EXPECT_EQ(result.progress.done_below_line, 31U);
  EXPECT_EQ(result.status.pause_reason, "--max-items: 30 items were taken up in this run");
}

TEST(MaxItems, ThatIsEnoughForAllIsNoPause) {
  PricedWorld world(30);
  world.settings.max_items = 30;
  EXPECT_EQ(world.run().end, RunEnding::completed);
}

TEST(MaxDuration, EndsSendingAndLetsCallsInFlightFinish) {
  PricedWorld world(100'000);
  world.settings.limits.requests_per_minute = 600;
  world.settings.max_duration = 2min;
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::paused);
  EXPECT_EQ(result.status.pause_reason, "--max-duration 2m00s is over");
  EXPECT_EQ(result.status.items.finished(), world.calls());
  const auto& starts = world.endpoint.started();
  EXPECT_LT(starts.back() - starts.front(), 2min);
  EXPECT_GT(starts.back() - starts.front(), 119s);
}

TEST(MaxDuration, IsNoPauseWhenTheLastCallsAreInFlight) {
  PricedWorld world(10);
  world.settings.max_duration = 200ms;
  EXPECT_EQ(world.run().end, RunEnding::completed);
}

}  // namespace
}  // namespace llmbatch
