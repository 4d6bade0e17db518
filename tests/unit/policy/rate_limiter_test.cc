#include "llmbatch/policy/rate_limiter.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace llmbatch {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1000s};
constexpr WallTime kWall{1'790'000'000s};

WallTime wall(SteadyTime now) { return kWall + (now - kStart); }

struct Load {
  std::deque<std::pair<SteadyTime, std::int64_t>> taken;
  std::int64_t worst = 0;
  std::int64_t sum = 0;
  std::int64_t total = 0;
  void add(SteadyTime at, std::int64_t amount) {
    taken.emplace_back(at, amount);
    sum += amount;
    total += amount;
    while (at - taken.front().first >= 60s) {
      sum -= taken.front().second;
      taken.pop_front();
    }
    worst = std::max(worst, sum);
  }
};

/// Sends as fast as the limiter allows for `duration`, waking up to `late` too late.
template <typename Size>
Load drive(RateLimiter& limiter, Duration duration, Duration late, Size size, bool count_tokens) {
  std::mt19937_64 random(7);
  Load load;
  SteadyTime now = kStart;
  TokenReservation next = size(random);
  while (now < kStart + duration) {
    const RateLimiter::Answer answer = limiter.ask(next, now);
    if (answer.ready_at > now) {
      now = answer.ready_at +
            Duration(static_cast<std::int64_t>(random() % 1000) * late.count() / 1000);
      continue;
    }
    limiter.take(next, now, wall(now));
    load.add(now, count_tokens ? next.input + next.output : 1);
    next = size(random);
  }
  return load;
}

class RequestsPerMinute : public testing::TestWithParam<std::int64_t> {};

TEST_P(RequestsPerMinute, NoWindowHoldsMoreAndTheLimitIsUsed) {
  const std::int64_t rpm = GetParam();
  RateLimiter limiter({.requests_per_minute = rpm}, kStart);
  const Load load = drive(
      limiter, 600s, 1ms, [](auto&) { return TokenReservation{}; }, false);
  EXPECT_LE(load.worst, rpm);
  EXPECT_GE(static_cast<double>(load.total) / 10,
            static_cast<double>(rpm) * (rpm < 1000 ? 0.99 : 0.995));
}

INSTANTIATE_TEST_SUITE_P(Rates, RequestsPerMinute,
                         testing::Values(1, 7, 60, 500, 999, 1000, 6000, 60'000, 600'000));

TEST(RateLimiter, TokensOfAnySizeStayWithinEveryWindow) {
  RateLimiter limiter({.tokens_per_minute = 100'000}, kStart);
  const auto size = [](std::mt19937_64& random) {
    return TokenReservation{static_cast<std::int64_t>(random() % 9000 + 1), 1000};
  };
  const Load load = drive(limiter, 1200s, 1ms, size, true);
  EXPECT_LE(load.worst, 100'000);
  EXPECT_GE(static_cast<double>(load.total) / 20, 100'000 * 0.9);
}

TEST(RateLimiter, SmallTokenAmountsUseTheLimit) {
  RateLimiter limiter({.tokens_per_minute = 200'000}, kStart);
  const auto size = [](std::mt19937_64& random) {
    return TokenReservation{static_cast<std::int64_t>(random() % 200 + 50), 20};
  };
  const Load load = drive(limiter, 1200s, 1ms, size, true);
  EXPECT_LE(load.worst, 200'000);
  EXPECT_GE(static_cast<double>(load.total) / 20, 200'000 * 0.995);
}

TEST(RateLimiter, OverrunIsPaidBackBeforeTheNextAdmission) {
  RateLimiter limiter({.tokens_per_minute = 6000}, kStart);
  const TokenReservation reserved{50, 50};
  limiter.take(reserved, kStart, kWall);
  Usage usage;
  usage.input = 50;
  usage.output = 1050;
  limiter.settle(reserved, usage, kStart, kStart);
  EXPECT_GE(limiter.ask(reserved, kStart).ready_at - kStart, 10900ms);
}

TEST(RateLimiter, LargerThanTheLimitIsNever) {
  RateLimiter limiter({.tokens_per_minute = 6000}, kStart);
  EXPECT_TRUE(limiter.ask({5000, 1001}, kStart).never);
  EXPECT_FALSE(limiter.ask({5000, 1000}, kStart).never);
}

TEST(RateLimiter, StateSurvivesAKill) {
  RateLimiter first({.requests_per_minute = 60, .tokens_per_minute = 1000}, kStart);
  first.take({900, 0}, kStart, kWall);
  const std::string state = first.serialize(kStart, kWall, 250ms, 0);
  RateLimiter second({.requests_per_minute = 60, .tokens_per_minute = 1000}, kStart);
  ASSERT_TRUE(second.restore(state, kStart + 2s, kWall + 2s));
  EXPECT_GE(second.ask({1, 0}, kStart + 2s).ready_at - kStart, 54s);
  EXPECT_LE(second.ask({1, 0}, kStart + 2s).ready_at - kStart, 55s);
}

TEST(RateLimiter, StoredTimeInTheFutureIsClamped) {
  RateLimiter first({.requests_per_minute = 60}, kStart);
  first.take({}, kStart, kWall);
  const std::string state = first.serialize(kStart, kWall + 24h, 250ms, 0);
  RateLimiter second({.requests_per_minute = 60}, kStart);
  ASSERT_TRUE(second.restore(state, kStart, kWall));
  EXPECT_LE(second.ask({}, kStart).ready_at - kStart, 2s);
}

TEST(RateLimiter, BrokenStateIsRefused) {
  RateLimiter limiter({.requests_per_minute = 60}, kStart);
  for (const char* state : {"", "2 1 1", "1 x", "1 5 5 0 0 0 9"}) {
    EXPECT_FALSE(limiter.restore(state, kStart, kWall)) << state;
  }
}

TEST(RateLimiter, HeadersSetWhatTheUserLeftOpenAndTightenWhatHeGave) {
  RateLimiter open({}, kStart);
  RateLimiter given({.requests_per_minute = 100}, kStart);
  RateLimitHints hints;
  hints.any = true;
  hints.requests_per_minute.limit = 60;
  open.apply(hints, kStart, kWall);
  given.apply(hints, kStart, kWall);
  EXPECT_EQ(open.requests_per_minute(), 60);
  EXPECT_EQ(given.requests_per_minute(), 60);
  hints.requests_per_minute.limit = 1000;
  given.apply(hints, kStart, kWall);
  EXPECT_EQ(given.requests_per_minute(), 100);
}

TEST(RateLimiter, NothingRemainingSlowsDown) {
  RateLimiter limiter({.requests_per_minute = 600}, kStart);
  RateLimitHints hints;
  hints.any = true;
  hints.requests_per_minute = {600, 0, 60s};
  limiter.apply(hints, kStart, kWall);
  EXPECT_GE(limiter.ask({}, kStart).ready_at - kStart, 100ms);
  limiter.take({}, kStart + 100ms, wall(kStart + 100ms));
  EXPECT_GE(limiter.ask({}, kStart + 100ms).ready_at - kStart, 450ms);
}

TEST(RateLimiter, ASmallBucketThatIsFullAgainSoonDoesNotSlowDown) {
  RateLimiter limiter({.requests_per_minute = 600}, kStart);
  RateLimitHints hints;
  hints.any = true;
  hints.requests_per_minute = {600, 1, 100ms};
  limiter.apply(hints, kStart, kWall);
  limiter.take({}, kStart, kWall);
  EXPECT_LE(limiter.ask({}, kStart).ready_at - kStart, 102ms);
}

TEST(RateLimiter, DayCountRollsOver) {
  RateLimiter limiter({.requests_per_day = 2}, kStart);
  limiter.take({}, kStart, kWall);
  limiter.take({}, kStart, kWall);
  const auto until = limiter.day_exhausted_until(kWall);
  ASSERT_TRUE(until.has_value());
  EXPECT_GE(*until, kWall + 24h);
  EXPECT_LE(*until, kWall + 24h + 11min);
  EXPECT_FALSE(limiter.day_exhausted_until(*until).has_value());
}

TEST(RateLimiter, CallsThatNoStateKnowsCountAfterAKill) {
  RateLimiter first({.requests_per_day = 10}, kStart);
  RateLimiter second({.requests_per_day = 10}, kStart);
  ASSERT_TRUE(second.restore(first.serialize(kStart, kWall, 250ms, 10), kStart, kWall));
  EXPECT_TRUE(second.day_exhausted_until(kWall).has_value());
}

TEST(RateLimiter, DayCountSurvivesInTheState) {
  RateLimiter first({.requests_per_day = 1}, kStart);
  first.take({}, kStart, kWall);
  RateLimiter second({.requests_per_day = 1}, kStart);
  ASSERT_TRUE(second.restore(first.serialize(kStart, kWall, 0s, 0), kStart, kWall + 1h));
  EXPECT_TRUE(second.day_exhausted_until(kWall + 1h).has_value());
}

}  // namespace
}  // namespace llmbatch
