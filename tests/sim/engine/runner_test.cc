#include "llmbatch/engine/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_world.h"

namespace llmbatch {
namespace {

using namespace std::chrono_literals;

struct World {
  explicit World(std::uint64_t items, Script script, std::size_t body_bytes = 0)
      : source(items, body_bytes), endpoint(clock, store, std::move(script)), interrupts(clock) {
    status.items[ItemState::pending] = static_cast<std::int64_t>(items);
    settings.concurrency = 20;
    settings.max_error_rate = 1;
  }
  RunResult run() {
    Runner runner({clock, source, endpoint, endpoint, store, monitor, interrupts}, settings,
                  status);
    RunResult result = runner.run();
    counters = runner.counters();
    return result;
  }
  /// The largest number of starts in any window of 60 seconds.
  std::size_t worst_minute() const {
    const auto& starts = endpoint.started();
    std::size_t worst = 0;
    for (std::size_t first = 0, last = 0; last < starts.size(); ++last) {
      while (starts[last] - starts[first] >= 60s) ++first;
      worst = std::max(worst, last - first + 1);
    }
    return worst;
  }

  FakeClock clock;
  CountingSource source;
  FakeStore store;
  FakeEndpoint endpoint;
  RecordingMonitor monitor;
  PlannedInterrupts interrupts;
  RunnerSettings settings;
  RunStatus status;
  RunCounters counters;
};

constexpr const char* kUserMessage = R"({"messages":[{"role":"user","content":")";
constexpr const char* kMessageEnd = R"("}]})";

/// A text of so many words, each of which is one token.
std::string words(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += " word";
  return text;
}

Script always(ErrorClass error) {
  return [error](std::uint64_t, int, SteadyTime) { return ScriptedAnswer{.error = error}; };
}

TEST(Runner, EveryItemEndsInExactlyOneFinalState) {
  World world(500, always(ErrorClass::none));
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::completed);
  EXPECT_EQ(result.status.items[ItemState::succeeded], 500);
  EXPECT_EQ(result.status.items[ItemState::pending], 0);
  ASSERT_EQ(world.store.final_count.size(), 500u);
  for (const auto& [seq, count] : world.store.final_count) EXPECT_EQ(count, 1) << seq;
  EXPECT_EQ(world.store.last_progress.items[ItemState::succeeded], 500);
}

TEST(Runner, NoMinuteHoldsMoreRequestsThanTheLimitAndTheLimitIsUsed) {
  World world(2000, always(ErrorClass::none));
  world.settings.limits.requests_per_minute = 500;
  world.run();
  EXPECT_LE(world.worst_minute(), 500u);
  const auto& starts = world.endpoint.started();
  const double minutes = to_seconds(starts.back() - starts.front()) / 60;
  EXPECT_GE(static_cast<double>(starts.size()) / minutes, 500 * 0.99);
  EXPECT_LE(starts[9] - starts[0], 1200ms);
  EXPECT_GE(starts[9] - starts[0], 1000ms) << "a burst at the start";
}

TEST(Runner, RateHoldsAcrossAKillAndResume) {
  World first(300, always(ErrorClass::none));
  first.settings.limits.requests_per_minute = 300;
  first.run();
  const std::string state = first.store.last_progress.limiter_state;
  ASSERT_FALSE(state.empty());
  World second(300, always(ErrorClass::none));
  second.clock.advance_to(first.clock.now());
  second.settings.limits.requests_per_minute = 300;
  second.settings.limiter_state = state;
  second.run();
  const SteadyTime last = first.endpoint.started().back();
  EXPECT_GE(second.endpoint.started().front() - last, 200ms);
}

TEST(Runner, TokensPerMinuteHoldInEveryWindow) {
  World world(600, always(ErrorClass::none), 400);
  world.settings.limits.tokens_per_minute = 24'000;  // 120 tokens each: 200 a minute
  world.run();
  EXPECT_LE(world.worst_minute(), 201u);
  const auto& starts = world.endpoint.started();
  const double minutes = to_seconds(starts[599] - starts[200]) / 60;
  EXPECT_GE(399 / minutes, 200 * 0.99);
}

TEST(Runner, ServerErrorIsRetriedThenSucceeds) {
  World world(50, [](std::uint64_t, int call, SteadyTime) {
    return ScriptedAnswer{.error = call < 2 ? ErrorClass::server_error : ErrorClass::none};
  });
  const RunResult result = world.run();
  EXPECT_EQ(result.status.items[ItemState::succeeded], 50);
  EXPECT_EQ(world.store.rows.size(), 150u);
  EXPECT_EQ(result.status.retries, 100);
}

TEST(Runner, RetriesUsedUpEndInFailed) {
  World world(3, always(ErrorClass::server_error));
  const RunResult result = world.run();
  EXPECT_EQ(result.status.items[ItemState::failed], 3);
  EXPECT_EQ(world.endpoint.calls_of(0), 6);
}

TEST(Runner, TimeoutIsRetriedOnce) {
  World world(3, always(ErrorClass::timeout));
  world.run();
  EXPECT_EQ(world.endpoint.calls_of(1), 2);
}

TEST(Runner, RetryAfterPausesEverybody) {
  World world(100, [](std::uint64_t item, int call, SteadyTime) {
    ScriptedAnswer answer;
    answer.latency = 10ms;
    if (item == 5 && call == 0) {
      answer.error = ErrorClass::rate_limited;
      answer.retry_after = 40s;
    }
    return answer;
  });
  world.settings.concurrency = 1;
  world.run();
  const auto& starts = world.endpoint.started();
  Duration longest{};
  for (std::size_t i = 1; i < starts.size(); ++i)
    longest = std::max(longest, starts[i] - starts[i - 1]);
  EXPECT_GE(longest, 40s);
  EXPECT_EQ(world.endpoint.calls_of(5), 2);
}

TEST(Runner, QuotaExhaustedPausesAndLeavesItemsPending) {
  World world(100, [](std::uint64_t item, int, SteadyTime) {
    return ScriptedAnswer{.error = item == 10 ? ErrorClass::quota_exhausted : ErrorClass::none,
                          .message = "no credits"};
  });
  world.settings.concurrency = 2;
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::paused);
  EXPECT_THAT(result.status.pause_reason, testing::HasSubstr("no credits"));
  EXPECT_GE(result.status.items[ItemState::pending], 87);
  EXPECT_FALSE(world.store.final_count.contains(10));
}

TEST(Runner, ErrorRatePausesOnceFiftyFinished) {
  World world(1000, always(ErrorClass::invalid_request));
  world.settings.max_error_rate = 0.05;
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::paused);
  EXPECT_GE(result.status.items[ItemState::failed], 50);
  EXPECT_LE(result.status.items[ItemState::failed], 100);
  EXPECT_THAT(result.status.pause_reason, testing::HasSubstr("invalid_request"));
}

TEST(Runner, ErrorRateOnlyWarnsWhenAsked) {
  World world(200, always(ErrorClass::invalid_request));
  world.settings.max_error_rate = 0.05;
  world.settings.pause_on_error_rate = false;
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::completed);
  EXPECT_EQ(result.status.items[ItemState::failed], 200);
  EXPECT_EQ(world.monitor.messages.size(), 1u);
}

TEST(Runner, FirstInterruptDrainsWhatIsInFlight) {
  World world(1000, always(ErrorClass::none));
  world.interrupts.stop_at(world.clock.now() + 1200ms);
  world.endpoint.set_next_event(world.clock.now() + 1200ms);
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::interrupted);
  EXPECT_EQ(result.stop_signal, 2);
  EXPECT_EQ(static_cast<std::size_t>(result.status.items[ItemState::succeeded]),
            world.endpoint.started().size());
}

TEST(Runner, SecondInterruptAbortsAndLeavesItemsPending) {
  World world(100, [](std::uint64_t, int, SteadyTime) { return ScriptedAnswer{.latency = 20s}; });
  world.interrupts.stop_at(world.clock.now() + 1s);
  world.interrupts.stop_at(world.clock.now() + 2s);
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::interrupted);
  EXPECT_EQ(result.status.items[ItemState::pending], 100);
  EXPECT_EQ(world.store.rows.size(), 20u)
      << "aborted calls are recorded: they may have been billed";
}

TEST(Runner, WatermarkStaysBelowItemsThatAreGivenBack) {
  World world(1000, [](std::uint64_t item, int call, SteadyTime) {
    const bool slow = item == 7 && call == 0;
    ScriptedAnswer answer{.error = slow ? ErrorClass::server_error : ErrorClass::none,
                          .latency = 100ms};
    if (slow) answer.retry_after = 300ms;
    return answer;
  });
  world.interrupts.stop_at(world.clock.now() + 250ms);
  world.endpoint.set_next_event(world.clock.now() + 250ms);
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::interrupted);
  EXPECT_FALSE(world.store.final_count.contains(7));
  EXPECT_LE(world.store.last_progress.done_below_line, 8u);
  EXPECT_LE(result.progress.done_below_line, 8u);
}

TEST(Runner, StoreErrorStopsSending) {
  World world(1000, always(ErrorClass::none));
  world.store.fail_after = 40;
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::failed);
  ASSERT_TRUE(result.error.has_value());
  EXPECT_THAT(result.error->message, testing::HasSubstr("disk full"));
  EXPECT_LE(world.endpoint.started().size(), 40u + 3 * 20);
}

TEST(Runner, ItemLargerThanTheWholeLimitFailsAtOnce) {
  World world(3, always(ErrorClass::none));
  world.source.set_frame(kUserMessage, words(2000) + kMessageEnd);
  world.settings.limits.tokens_per_minute = 1000;
  const RunResult result = world.run();
  EXPECT_EQ(result.status.items[ItemState::failed], 3);
  EXPECT_EQ(world.store.rows.at(0).error, ErrorClass::too_large);
  EXPECT_TRUE(world.endpoint.started().empty());
}

TEST(Runner, OneHugeAnswerDoesNotMakeTheOthersTooLarge) {
  World world(40, [](std::uint64_t item, int, SteadyTime) {
    ScriptedAnswer answer;
    answer.usage.output = item == 0 ? 9000 : 2;
    return answer;
  });
  world.settings.concurrency = 1;
  world.settings.limits.output_tokens_per_minute = 5000;
  const RunResult result = world.run();
  EXPECT_EQ(result.status.items[ItemState::succeeded], 40);
}

TEST(Runner, RequestsPerDayPauseNamesTheTime) {
  World world(30, always(ErrorClass::none));
  world.settings.limits.requests_per_day = 10;
  world.settings.concurrency = 1;
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::paused);
  EXPECT_EQ(world.endpoint.started().size(), 10u);
  EXPECT_THAT(result.status.pause_reason, testing::HasSubstr("2026-"));
}

TEST(Runner, RequestsPerDayAreCountedOverRuns) {
  World first(10, always(ErrorClass::none));
  const RunResult ended = first.run();
  World second(30, always(ErrorClass::none));
  second.settings.limits.requests_per_day = 12;
  second.settings.limiter_state = ended.progress.limiter_state;
  EXPECT_EQ(second.run().end, RunEnding::paused);
  EXPECT_EQ(second.endpoint.started().size(), 2u);
}

TEST(Runner, AKillCostsTheDayOnlyAFewRequests) {
  World killed(30, always(ErrorClass::none));
  killed.settings.limits.requests_per_day = 100;
  killed.run();
  // The last state that was stored while calls were made is what a kill would leave.
  World next(100, always(ErrorClass::none));
  next.settings.limits.requests_per_day = 100;
  next.settings.limiter_state = killed.store.last_progress.limiter_state;
  EXPECT_EQ(next.run().end, RunEnding::paused);
  EXPECT_LE(next.endpoint.started().size(), 70u);
  EXPECT_GE(next.endpoint.started().size(), 64u);
}

TEST(Runner, PicturesAreNotMeasuredByTheBytesOfTheirEncoding) {
  World world(2, always(ErrorClass::none));
  world.source.set_frame(R"({"user":")",
                         R"(","messages":[{"role":"user","content":[{"type":"image_url",)"
                         R"("image_url":{"url":"data:image/png;base64,)" +
                             std::string(700'000, 'A') + R"("}}]}]})");
  world.settings.limits.tokens_per_minute = 100'000;
  EXPECT_EQ(world.run().status.items[ItemState::succeeded], 2);
}

Script uses(TokenCount input, TokenCount output) {
  return [=](std::uint64_t, int, SteadyTime) {
    ScriptedAnswer answer;
    answer.usage.input = input;
    answer.usage.output = output;
    return answer;
  };
}

TEST(Runner, TheTokensOfTheNextRunAreReservedByWhatThisOneLearnt) {
  World first(300, uses(1000, 40));
  first.source.set_frame(kUserMessage, words(490) + kMessageEnd);  // counts about 500
  first.settings.limits.tokens_per_minute = 100'000;
  const RunResult ended = first.run();
  const UsageMeans learnt = ended.progress.usage_means.value_or(UsageMeans{});
  EXPECT_EQ(learnt.input_samples, 300);
  EXPECT_NEAR(learnt.input_ratio(), 2, 0.1);
  EXPECT_NEAR(learnt.output, 40, 0.01);

  // Without that knowledge a call would reserve 500 + 256 tokens at first, and 1040 were used.
  World second(300, uses(1000, 40));
  second.source.set_frame(kUserMessage, words(490) + kMessageEnd);
  second.settings.limits.tokens_per_minute = 100'000;
  second.settings.usage_means = learnt;
  EXPECT_EQ(second.run().status.items[ItemState::succeeded], 300);
  EXPECT_LE(second.worst_minute(), 97u);
  EXPECT_GE(second.worst_minute(), 94u);
}

TEST(Runner, WithoutTokenLimitsOnlyASampleIsCounted) {
  class Counter final : public TokenCounter {
   public:
    TokenCount count(std::string_view) const override {
      ++calls;
      return 100;
    }
    mutable int calls = 0;
  };
  const Counter counter;
  World world(2000, uses(110, 7));
  world.source.set_frame(kUserMessage, kMessageEnd);
  world.settings.token_counter = &counter;
  const RunResult result = world.run();
  EXPECT_GE(counter.calls, 256);
  EXPECT_LE(counter.calls, 300);
  EXPECT_NEAR(result.progress.usage_means->input_ratio(), 110.0 / 107, 0.001);
  EXPECT_EQ(result.progress.usage_means->output_samples, 2000);
}

TEST(Runner, RateLimitAnswersDoNotUseUpRetriesWhileOthersAreServed) {
  World world(200, [](std::uint64_t item, int call, SteadyTime) {
    return ScriptedAnswer{
        .error = item == 0 && call < 9 ? ErrorClass::rate_limited : ErrorClass::none,
        .latency = 2s};
  });
  world.settings.concurrency = 2;
  const RunResult result = world.run();
  EXPECT_EQ(result.status.items[ItemState::succeeded], 200);
}

TEST(Runner, AutomaticConcurrencyGrowsWhileItHelps) {
  World world(4000, always(ErrorClass::none));
  world.settings.concurrency.reset();
  const RunResult result = world.run();
  EXPECT_EQ(result.status.concurrency, 256);
}

}  // namespace
}  // namespace llmbatch
