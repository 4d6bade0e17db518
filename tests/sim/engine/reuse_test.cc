// Identical requests, in virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "llmbatch/engine/runner.h"
#include "support/fake_world.h"

namespace llmbatch {
namespace {

using namespace std::chrono_literals;

/// Items that ask for `requests`, each linked to the one before it that asks the same.
class RepeatingSource final : public ItemSource {
 public:
  explicit RepeatingSource(std::vector<std::uint64_t> requests) : requests_(std::move(requests)) {}
  Result<bool> next(Item& item) override {
    for (; next_ < requests_.size(); ++next_) {
      const std::uint64_t request = requests_[next_];
      const std::uint64_t other = std::exchange(last_[request], next_ + 1);
      if (done.count(next_ + 1) != 0) continue;
      item = Item{};
      item.seq = next_ + 1;
      item.id = "t-" + std::to_string(item.seq);
      item.place.line = item.seq;
      item.same_as = other;
      item.request.body = std::to_string(request);
      item.request_hash = hash128(item.request.body);
      if (foreign_hash && other != 0) item.request_hash = hash128("another");
      ++next_;
      return true;
    }
    return false;
  }
  std::uint64_t next_line() const override { return next_ + 1; }
  bool has_repeats() const override { return true; }

  std::set<std::uint64_t> done;
  bool foreign_hash = false;

 private:
  std::vector<std::uint64_t> requests_;
  std::map<std::uint64_t, std::uint64_t> last_;
  std::uint64_t next_ = 0;
};

class CommittedAnswers final : public KnownAnswers {
 public:
  explicit CommittedAnswers(const FakeStore& store) : store_(store) {}
  Result<std::shared_ptr<const ReusedAnswer>> find(std::uint64_t seq,
                                                   const Hash128& hash) override {
    ++asked;
    if (broken) return failure("the database is gone");
    const auto row = store_.committed(seq);
    std::shared_ptr<ReusedAnswer> answer;
    if (row && row->state == ItemState::succeeded && row->request_hash == hash) {
      answer = std::make_shared<ReusedAnswer>();
      answer->seq = seq;
      answer->output = row->reused ? row->reused->output : row->output;
      answer->cost = Money::from_pico(7);
    }
    return answer;
  }
  bool has_shared() const override { return !shared.empty(); }
  std::shared_ptr<const ReusedAnswer> find_shared(const Hash128& hash) override {
    const auto found = shared.find(hash);
    if (found == shared.end()) return nullptr;
    auto answer = std::make_shared<ReusedAnswer>();
    answer->http_status = found->second;
    answer->usage = Usage{.input = 50, .output = 5};
    answer->foreign.emplace().number = 0;
    return answer;
  }
  int asked = 0;
  bool broken = false;
  /// What a cache file has: request hash and which of the endpoint's answers it is.
  std::map<Hash128, int> shared;

 private:
  const FakeStore& store_;
};

struct World {
  World(std::vector<std::uint64_t> requests, Script answer_script)
      : count(requests.size()),
        source(std::move(requests)),
        endpoint(clock, store, std::move(answer_script)),
        interrupts(clock),
        answers(store) {
    settings.concurrency = 20;
    settings.max_error_rate = 1;
  }
  RunResult run() {
    status.items[ItemState::pending] = static_cast<std::int64_t>(count - source.done.size());
    Runner runner({clock, source, endpoint, endpoint, store, monitor, interrupts, nullptr,
                   reuse ? &answers : nullptr},
                  settings, status);
    RunResult result = runner.run();
    counters = runner.counters();
    return result;
  }
  Duration elapsed() const { return clock.now() - began; }
  std::size_t calls() const { return endpoint.started().size(); }

  std::size_t count;
  FakeClock clock;
  SteadyTime began = clock.now();
  RepeatingSource source;
  FakeStore store;
  FakeEndpoint endpoint;
  RecordingMonitor monitor;
  PlannedInterrupts interrupts;
  CommittedAnswers answers;
  RunnerSettings settings;
  RunStatus status;
  RunCounters counters;
  bool reuse = true;
};

std::vector<std::uint64_t> in_turn(std::uint64_t items, std::uint64_t requests) {
  std::vector<std::uint64_t> list(items);
  for (std::uint64_t i = 0; i < items; ++i) list[i] = i % requests;
  return list;
}

ScriptedAnswer good(std::uint64_t, int, SteadyTime) { return {}; }

void expect_each_finished_once(const World& world) {
  EXPECT_EQ(world.store.final_count.size(), world.count);
  for (const auto& [seq, count] : world.store.final_count) EXPECT_EQ(count, 1) << seq;
}

TEST(Reuse, EveryRequestIsCalledForOnce) {
  World world(in_turn(2000, 10), good);
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::completed);
  EXPECT_EQ(world.calls(), 10U);
  EXPECT_EQ(result.status.items[ItemState::succeeded], 2000);
  EXPECT_EQ(result.status.cached, 1990);
  EXPECT_EQ(result.status.attempts, 10);
  EXPECT_EQ(result.status.reuse.input, 1990 * 100);
  EXPECT_EQ(result.status.reuse.output, 1990 * 20);
  EXPECT_EQ(world.counters.reused, 1990);
  EXPECT_EQ(world.counters.queued, 10);
  expect_each_finished_once(world);
}

TEST(Reuse, WithoutItEveryItemIsCalledFor) {
  World world(in_turn(100, 10), good);
  world.reuse = false;
  EXPECT_EQ(world.run().status.cached, 0);
  EXPECT_EQ(world.calls(), 100U);
}

TEST(Reuse, AnswersStandBehindTheirCallsInTheStore) {
  World world(in_turn(300, 3), good);
  world.run();
  std::set<std::uint64_t> stored;
  for (const ItemUpdate& row : world.store.rows) {
    if (row.reused) {
      EXPECT_FALSE(row.attempt);
      EXPECT_TRUE(row.cached);
      EXPECT_EQ(row.attempts, 0U);
      EXPECT_EQ(row.reused->output, "answer");
      EXPECT_EQ(stored.count(row.reused->seq), 1U) << row.seq;
    }
    stored.insert(row.seq);
  }
}

TEST(Reuse, FollowersWaitWhileTheCallIsRepeated) {
  World world(in_turn(50, 1), [](std::uint64_t, int call, SteadyTime) {
    return ScriptedAnswer{.error = call < 2 ? ErrorClass::server_error : ErrorClass::none};
  });
  const RunResult result = world.run();
  EXPECT_EQ(world.calls(), 3U);
  EXPECT_EQ(result.status.items[ItemState::succeeded], 50);
}

TEST(Reuse, TheNextOneIsCalledForWhenTheFirstFails) {
  for (const ErrorClass error : {ErrorClass::invalid_request, ErrorClass::content_policy,
                                 ErrorClass::truncated, ErrorClass::malformed}) {
    World world(in_turn(40, 1), [error](std::uint64_t, int call, SteadyTime) {
      const int failures = error == ErrorClass::malformed ? 2 : 1;
      return ScriptedAnswer{.error = call < failures ? error : ErrorClass::none};
    });
    const RunResult result = world.run();
    EXPECT_EQ(result.status.items[ItemState::succeeded], 39);
    EXPECT_EQ(result.status.items.problems(), 1);
    EXPECT_EQ(world.calls(), error == ErrorClass::malformed ? 3U : 2U);
    expect_each_finished_once(world);
  }
}

TEST(Reuse, WhatNeverSucceedsIsTriedByEachAndSoonInParallel) {
  World world(in_turn(1000, 1), [](std::uint64_t, int, SteadyTime) {
    return ScriptedAnswer{.error = ErrorClass::invalid_request, .latency = 1s};
  });
  const RunResult result = world.run();
  EXPECT_EQ(result.status.items[ItemState::failed], 1000);
  EXPECT_EQ(world.calls(), 1000U);
  // 1, 1, 2, 4, ... then 20 at a time.
  EXPECT_LE(world.elapsed(), 80s);
  expect_each_finished_once(world);
}

TEST(Reuse, OneSlowAnswerDoesNotKeepOthersWaiting) {
  std::vector<std::uint64_t> requests(3000, 0);
  for (std::uint64_t i = 0; i < 1000; ++i) requests.push_back(1 + i);
  World world(requests, [](std::uint64_t request, int, SteadyTime) {
    return ScriptedAnswer{.latency = request == 0 ? Duration(100s) : Duration(1s)};
  });
  world.run();
  EXPECT_EQ(world.calls(), 1001U);
  EXPECT_LE(world.elapsed(), 110s);
}

TEST(Reuse, ManyThatWaitStopTheReadingUntilTheAnswerIsThere) {
  World world(in_turn(50'000, 1),
              [](std::uint64_t, int, SteadyTime) { return ScriptedAnswer{.latency = 30s}; });
  const RunResult result = world.run();
  EXPECT_EQ(world.calls(), 1U);
  EXPECT_EQ(result.status.items[ItemState::succeeded], 50'000);
  expect_each_finished_once(world);
}

TEST(Reuse, AnInterruptGivesBackWhatWaits) {
  World world(in_turn(500, 2), [](std::uint64_t request, int, SteadyTime) {
    return ScriptedAnswer{.latency = request == 0 ? Duration(1s) : Duration(100s)};
  });
  world.interrupts.stop_at(world.began + 10s);
  world.endpoint.set_next_event(world.began + 10s);
  world.settings.drain_timeout = 5s;
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::interrupted);
  EXPECT_EQ(result.status.items[ItemState::succeeded], 250);
  EXPECT_EQ(result.status.items[ItemState::pending], 250);
  EXPECT_EQ(result.progress.done_below_line, 2U);
  EXPECT_EQ(world.counters.waited, 249);
}

TEST(Reuse, WhatIsCommittedIsNotCalledForAgainAfterACrashAtAnyPoint) {
  for (int crash = 1; crash < 60; crash += 3) {
    World first(in_turn(60, 6), good);
    first.store.fail_after = crash;
    first.run();
    World second(in_turn(60, 6), good);
    std::set<std::uint64_t> answered;
    RunProgress none;
    for (std::uint64_t seq = 1; seq <= 60; ++seq) {
      const auto row = first.store.committed(seq);
      if (!row) continue;
      answered.insert((seq - 1) % 6);
      second.source.done.insert(seq);
      ASSERT_TRUE(second.store.commit(std::vector{*row}, none));
    }
    second.store.attempts = 0;
    second.store.commits = 0;
    const RunResult result = second.run();
    EXPECT_EQ(result.end, RunEnding::completed);
    EXPECT_EQ(second.calls(), 6 - answered.size()) << crash;
    for (std::uint64_t request = 0; request < 6; ++request) {
      EXPECT_EQ(second.endpoint.calls_of(request), answered.count(request) == 0 ? 1 : 0);
    }
    expect_each_finished_once(second);
  }
}

TEST(Reuse, AnAnswerThatIsNotThereIsCalledFor) {
  World world(in_turn(2, 1), good);
  world.source.done.insert(1);  // but the store does not have it
  const RunResult result = world.run();
  EXPECT_EQ(world.answers.asked, 1);
  EXPECT_EQ(world.calls(), 1U);
  EXPECT_EQ(result.status.cached, 0);
}

TEST(Reuse, AHintToAnotherRequestIsNotFollowed) {
  World world(in_turn(2, 1), good);
  world.source.foreign_hash = true;
  EXPECT_EQ(world.run().status.cached, 0);
  EXPECT_EQ(world.calls(), 2U);
}

TEST(Reuse, AnswersOfACacheFileAreTakenOverAndPassedOn) {
  World world(in_turn(40, 4), good);
  for (const char* request : {"1", "2"}) {
    world.answers.shared[hash128(request)] = FakeEndpoint::kForeignGood;
  }
  const RunResult result = world.run();
  EXPECT_EQ(world.calls(), 2U);
  EXPECT_EQ(world.endpoint.calls_of(1) + world.endpoint.calls_of(2), 0);
  EXPECT_EQ(result.status.cached, 38);
  int foreign = 0;
  for (const ItemUpdate& row : world.store.rows) {
    if (!row.reused) continue;
    foreign += row.reused->foreign ? 1 : 0;
    EXPECT_EQ(row.reused->output, "answer");
  }
  EXPECT_EQ(foreign, 2) << "stored once each, by the first item that takes it";
  expect_each_finished_once(world);
}

TEST(Reuse, AnAnswerOfACacheFileThatFailsHereIsAskedForAgain) {
  World world({1, 2}, good);
  world.answers.shared[hash128("2")] = FakeEndpoint::kForeignTruncated;
  const RunResult result = world.run();
  EXPECT_EQ(world.endpoint.calls_of(2), 1);
  EXPECT_EQ(result.status.cached, 0);
  EXPECT_EQ(result.status.items[ItemState::succeeded], 2);
}

TEST(PromptCacheWarmUp, TheFirstCallIsMadeAlone) {
  World world(in_turn(100, 100), good);
  world.settings.warm_prompt_cache = true;
  world.run();
  const auto& starts = world.endpoint.started();
  EXPECT_EQ(starts[0], world.began);
  EXPECT_GE(starts[1] - starts[0], 500ms);
  EXPECT_LT(starts[19] - starts[1], 10ms);
}

TEST(PromptCacheWarmUp, NobodyWaitsLongerWhenItFails) {
  World world(in_turn(100, 100), [](std::uint64_t request, int, SteadyTime) {
    return ScriptedAnswer{.error = request < 10 ? ErrorClass::invalid_request : ErrorClass::none};
  });
  world.settings.warm_prompt_cache = true;
  const RunResult result = world.run();
  const auto& starts = world.endpoint.started();
  EXPECT_GE(starts[3] - starts[0], 1500ms);
  EXPECT_LT(starts[19] - starts[3], 10ms);
  EXPECT_EQ(result.status.items.finished(), 100);
}

TEST(Reuse, AnUnreadableDatabaseEndsTheRun) {
  World world(in_turn(2, 1), good);
  world.source.done.insert(1);
  world.answers.broken = true;
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::failed);
  EXPECT_EQ(result.error->message, "the database is gone");
  EXPECT_EQ(world.calls(), 0U);
}

TEST(Reuse, AnswersTakenOverDoNotHideThatCallsFail) {
  std::vector<std::uint64_t> requests(5000, 0);
  for (std::uint64_t i = 0; i < 500; ++i) {
    requests.push_back(1 + i);
    requests.insert(requests.end(), 100, 0);
  }
  World world(requests, [](std::uint64_t request, int, SteadyTime) {
    return ScriptedAnswer{.error = request == 0 ? ErrorClass::none : ErrorClass::invalid_request};
  });
  world.settings.max_error_rate = 0.5;
  EXPECT_EQ(world.run().end, RunEnding::paused);
}

TEST(Reuse, AQuotaThatRunsOutGivesBackThoseThatWait) {
  World world(in_turn(100, 1), [](std::uint64_t, int, SteadyTime) {
    return ScriptedAnswer{.error = ErrorClass::quota_exhausted};
  });
  const RunResult result = world.run();
  EXPECT_EQ(result.end, RunEnding::paused);
  EXPECT_EQ(world.calls(), 1U);
  EXPECT_EQ(result.status.items[ItemState::pending], 100);
  EXPECT_EQ(result.progress.done_below_line, 1U);
}

}  // namespace
}  // namespace llmbatch
