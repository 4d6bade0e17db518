// Answer checks in the real runner: the second question, and what counts against what.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "llmbatch/engine/runner.h"
#include "support/fake_world.h"

namespace llmbatch {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

/// Fails the answer `bad`; stores others in brackets.
class BracketCheck final : public AnswerCheck {
 public:
  AnswerVerdict check(const Completion& completion) const override {
    if (completion.output == "bad") return {"is bad", {}, false};
    return {{}, "[" + completion.output + "]", true};
  }
};

struct World {
  explicit World(Script script)
      : source(1), endpoint(clock, store, std::move(script)), interrupts(clock) {
    status.items[ItemState::pending] = 1;
    settings.max_error_rate = 1;
  }
  RunResult run() {
    Runner runner({clock, source, endpoint, endpoint, store, monitor, interrupts, &check}, settings,
                  status);
    return runner.run();
  }
  const ItemUpdate& last() const { return store.rows.back(); }

  FakeClock clock;
  CountingSource source;
  FakeStore store;
  FakeEndpoint endpoint;
  RecordingMonitor monitor;
  PlannedInterrupts interrupts;
  BracketCheck check;
  RunnerSettings settings;
  RunStatus status;
};

/// The answers by call; the last one stays.
Script answers(std::vector<ScriptedAnswer> list) {
  return [list](std::uint64_t, int call, SteadyTime) {
    return list[std::min<std::size_t>(static_cast<std::size_t>(call), list.size() - 1)];
  };
}

ScriptedAnswer saying(std::string text) { return {.output = std::move(text)}; }

TEST(AnswerChecks, AnAnswerThatPassesIsStoredAsTheCheckReadsIt) {
  World world(answers({saying("fine")}));
  world.run();
  EXPECT_EQ(world.last().state, ItemState::succeeded);
  EXPECT_EQ(world.last().output, "[fine]");
  EXPECT_TRUE(world.last().output_is_json);
}

TEST(AnswerChecks, AFailedAnswerIsStoredThenQuotedInASecondQuestion) {
  World world(answers({saying("bad"), saying("fine")}));
  const RunResult result = world.run();
  EXPECT_THAT(world.endpoint.bodies, ElementsAre("0", "0 bad is bad"));
  ASSERT_EQ(world.store.rows.size(), 2U);
  const ItemUpdate& first = world.store.rows[0];
  EXPECT_EQ(first.state, ItemState::pending);
  EXPECT_EQ(first.error, ErrorClass::check_failed);
  EXPECT_EQ(first.attempt->error_message, "is bad");
  EXPECT_EQ(first.attempt->response, "raw 0");
  EXPECT_EQ(first.output, "bad");
  EXPECT_FALSE(first.output_is_json);
  EXPECT_TRUE(first.attempt->usage.has_value());
  EXPECT_EQ(world.last().state, ItemState::succeeded);
  EXPECT_EQ(world.last().output, "[fine]");
  // The item is still the one that was asked for.
  EXPECT_EQ(world.last().request_hash, first.request_hash);
  EXPECT_EQ(result.status.usage.input, 200);
}

TEST(AnswerChecks, TwoFailedAnswersAreFlaggedWithTheReason) {
  World world(answers({saying("bad")}));
  world.run();
  EXPECT_EQ(world.endpoint.bodies.size(), 2U);
  EXPECT_EQ(world.last().state, ItemState::flagged);
  EXPECT_EQ(world.last().error, ErrorClass::check_failed);
  EXPECT_EQ(world.last().error_message, "is bad");
  EXPECT_EQ(world.last().output, "bad");
}

TEST(AnswerChecks, ASecondQuestionThatMeetsTroubleIsAskedAgain) {
  World world(answers({saying("bad"),
                       {.error = ErrorClass::server_error},
                       {.error = ErrorClass::rate_limited},
                       saying("fine")}));
  world.run();
  EXPECT_THAT(world.endpoint.bodies,
              ElementsAre("0", "0 bad is bad", "0 bad is bad", "0 bad is bad"));
  EXPECT_EQ(world.last().state, ItemState::succeeded);
}

TEST(AnswerChecks, WithoutReaskTheSameRequestIsSentAgain) {
  World world(answers({saying("bad")}));
  world.settings.reask = false;
  world.run();
  EXPECT_THAT(world.endpoint.bodies, ElementsAre("0", "0"));
}

TEST(AnswerChecks, WhatCannotBeAskedOnIsSentAgain) {
  World world(answers({saying("bad")}));
  world.endpoint.can_reask = false;
  world.run();
  EXPECT_THAT(world.endpoint.bodies, ElementsAre("0", "0"));
}

TEST(AnswerChecks, NoRetriesMeansNoSecondQuestion) {
  World world(answers({saying("bad")}));
  world.settings.retries.max_retries = 0;
  world.run();
  EXPECT_THAT(world.endpoint.bodies, ElementsAre("0"));
  EXPECT_EQ(world.last().state, ItemState::flagged);
}

TEST(AnswerChecks, MalformedAndFailedAnswersShareTheOneMoreTry) {
  World world(answers({{.error = ErrorClass::malformed}, saying("bad")}));
  world.run();
  EXPECT_EQ(world.endpoint.bodies.size(), 2U);
  EXPECT_EQ(world.last().state, ItemState::flagged);
  EXPECT_EQ(world.last().error, ErrorClass::check_failed);
}

TEST(AnswerChecks, OtherClassesAreNotChecked) {
  for (const ErrorClass error : {ErrorClass::content_policy, ErrorClass::truncated}) {
    World world(answers({{.error = error, .output = "bad"}}));
    world.run();
    EXPECT_EQ(world.last().error, error);
    EXPECT_EQ(world.endpoint.bodies.size(), 1U);
  }
}

}  // namespace
}  // namespace llmbatch
