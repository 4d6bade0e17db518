// What every Transport promises, as tests. An implementation brings a TransportWorld and says
//   INSTANTIATE_TEST_SUITE_P(Mine, TransportContract, testing::Values(&make_my_world));
#pragma once

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "llmbatch/port/transport.h"

namespace llmbatch::test {

/// A transport and the server it talks to, real or imagined.
class TransportWorld {
 public:
  enum class Answer {
    echo,          ///< 200, header `X-Request-Id: r-1`, the request's body as body
    server_error,  ///< 503, body `busy`
    hang_up,       ///< the connection is lost without an answer
    never,         ///< nothing comes
  };

  virtual ~TransportWorld() = default;
  virtual Transport& transport() = 0;
  virtual std::string url(Answer answer) = 0;
  virtual SteadyTime now() = 0;
  /// How many requests reached the server.
  virtual int requests_seen() = 0;
};

using TransportWorldFactory = std::unique_ptr<TransportWorld> (*)();

class TransportContract : public testing::TestWithParam<TransportWorldFactory> {
 protected:
  using Answer = TransportWorld::Answer;
  static constexpr Duration kPatience = std::chrono::seconds(20);

  Transport& transport() { return world_->transport(); }

  /// Waits until `count` calls completed or patience ends.
  std::vector<TransportCompletion> complete(std::size_t count) {
    std::vector<TransportCompletion> completions;
    const SteadyTime end = world_->now() + kPatience;
    while (completions.size() < count && world_->now() < end) transport().wait(end, completions);
    return completions;
  }

  std::unique_ptr<TransportWorld> world_ = GetParam()();
};

TEST_P(TransportContract, AnswerComesBackWithItsIdStatusHeadersAndBody) {
  const std::string body = R"({"model":"m"})";
  ASSERT_TRUE(transport().start(7, world_->url(Answer::echo), body).has_value());
  EXPECT_EQ(transport().in_flight(), 1U);
  const auto completions = complete(1);
  ASSERT_EQ(completions.size(), 1U);
  EXPECT_EQ(completions[0].id, 7U);
  const HttpReply& reply = completions[0].reply;
  EXPECT_EQ(reply.error, TransportError::none) << reply.error_message;
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, body);
  EXPECT_EQ(find_header(reply.headers, "x-request-id"), "r-1");
  EXPECT_EQ(reply.transmissions, 1U);
  EXPECT_GE(reply.latency, reply.time_to_first_byte);
  EXPECT_GT(to_unix_nanos(reply.started_at), 0);
  EXPECT_EQ(transport().in_flight(), 0U);
}

TEST_P(TransportContract, HttpFailureIsAnAnswerNotATransportError) {
  ASSERT_TRUE(transport().start(1, world_->url(Answer::server_error), "{}").has_value());
  const auto completions = complete(1);
  ASSERT_EQ(completions.size(), 1U);
  EXPECT_EQ(completions[0].reply.error, TransportError::none);
  EXPECT_EQ(completions[0].reply.status, 503);
  EXPECT_EQ(completions[0].reply.body, "busy");
}

TEST_P(TransportContract, LostConnectionIsAResetAndSentOnce) {
  ASSERT_TRUE(transport().start(1, world_->url(Answer::hang_up), "{}").has_value());
  const auto completions = complete(1);
  ASSERT_EQ(completions.size(), 1U);
  EXPECT_EQ(completions[0].reply.error, TransportError::reset);
  EXPECT_FALSE(completions[0].reply.error_message.empty());
  EXPECT_EQ(completions[0].reply.transmissions, 1U);
  EXPECT_EQ(world_->requests_seen(), 1);
}

TEST_P(TransportContract, EveryCallCompletesExactlyOnceWithItsOwnBody) {
  constexpr std::size_t kCalls = 60;
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < kCalls; ++i) bodies.push_back("body " + std::to_string(i));
  for (std::size_t i = 0; i < kCalls; ++i) {
    ASSERT_TRUE(transport().start(i, world_->url(Answer::echo), bodies[i]).has_value());
  }
  EXPECT_EQ(transport().in_flight(), kCalls);
  auto completions = complete(kCalls);
  ASSERT_EQ(completions.size(), kCalls);
  std::sort(completions.begin(), completions.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  for (std::size_t i = 0; i < kCalls; ++i) {
    EXPECT_EQ(completions[i].id, i);
    EXPECT_EQ(completions[i].reply.body, bodies[i]);
  }
  EXPECT_EQ(transport().in_flight(), 0U);
  EXPECT_EQ(world_->requests_seen(), static_cast<int>(kCalls));
}

TEST_P(TransportContract, WaitAppendsAndKeepsWhatWasThere) {
  ASSERT_TRUE(transport().start(2, world_->url(Answer::echo), "{}").has_value());
  std::vector<TransportCompletion> completions(1);
  completions[0].id = 99;
  const SteadyTime end = world_->now() + kPatience;
  while (completions.size() < 2 && world_->now() < end) transport().wait(end, completions);
  ASSERT_EQ(completions.size(), 2U);
  EXPECT_EQ(completions[0].id, 99U);
  EXPECT_EQ(completions[1].id, 2U);
}

TEST_P(TransportContract, WaitReturnsAtItsDeadlineAndNotBefore) {
  ASSERT_TRUE(transport().start(1, world_->url(Answer::never), "{}").has_value());
  std::vector<TransportCompletion> completions;
  const SteadyTime deadline = world_->now() + std::chrono::milliseconds(30);
  transport().wait(deadline, completions);
  EXPECT_GE(world_->now(), deadline);
  EXPECT_TRUE(completions.empty());
  EXPECT_EQ(transport().in_flight(), 1U);
}

TEST_P(TransportContract, WakeBeforeWaitMakesItReturnAtOnce) {
  transport().wake();
  std::vector<TransportCompletion> completions;
  const SteadyTime begin = world_->now();
  transport().wait(begin + kPatience, completions);
  EXPECT_LT(world_->now(), begin + kPatience / 2);
  EXPECT_TRUE(completions.empty());
}

TEST_P(TransportContract, OneWakeEndsOneWait) {
  transport().wake();
  std::vector<TransportCompletion> completions;
  transport().wait(world_->now() + kPatience, completions);
  const SteadyTime deadline = world_->now() + std::chrono::milliseconds(20);
  transport().wait(deadline, completions);
  EXPECT_GE(world_->now(), deadline);
}

TEST_P(TransportContract, WatchedDescriptorEndsWaitUntilItIsDrained) {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  transport().watch(fd);
  std::uint64_t value = 1;
  ASSERT_EQ(write(fd, &value, sizeof(value)), static_cast<ssize_t>(sizeof(value)));
  std::vector<TransportCompletion> completions;
  for (int i = 0; i < 2; ++i) {
    const SteadyTime begin = world_->now();
    transport().wait(begin + kPatience, completions);
    EXPECT_LT(world_->now(), begin + kPatience / 2);
  }
  ASSERT_EQ(read(fd, &value, sizeof(value)), static_cast<ssize_t>(sizeof(value)));
  const SteadyTime deadline = world_->now() + std::chrono::milliseconds(20);
  transport().wait(deadline, completions);
  EXPECT_GE(world_->now(), deadline);
  close(fd);
}

TEST_P(TransportContract, AbortAllCompletesEveryCallAsAborted) {
  for (CallId id = 0; id < 5; ++id) {
    ASSERT_TRUE(transport().start(id, world_->url(Answer::never), "{}").has_value());
  }
  std::vector<TransportCompletion> completions;
  transport().wait(world_->now() + std::chrono::milliseconds(20), completions);
  ASSERT_TRUE(completions.empty());
  transport().abort_all();
  EXPECT_EQ(transport().in_flight(), 5U);
  transport().wait(world_->now() + kPatience, completions);
  ASSERT_EQ(completions.size(), 5U);
  for (const auto& completion : completions) {
    EXPECT_EQ(completion.reply.error, TransportError::aborted);
  }
  EXPECT_EQ(transport().in_flight(), 0U);
}

TEST_P(TransportContract, CallsCanBeStartedAfterAbortAll) {
  ASSERT_TRUE(transport().start(1, world_->url(Answer::never), "{}").has_value());
  transport().abort_all();
  ASSERT_EQ(complete(1).size(), 1U);
  ASSERT_TRUE(transport().start(2, world_->url(Answer::echo), "again").has_value());
  const auto completions = complete(1);
  ASSERT_EQ(completions.size(), 1U);
  EXPECT_EQ(completions[0].id, 2U);
  EXPECT_EQ(completions[0].reply.body, "again");
}

}  // namespace llmbatch::test
