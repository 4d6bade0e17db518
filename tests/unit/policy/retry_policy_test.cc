#include "llmbatch/policy/retry_policy.h"

#include <gtest/gtest.h>

namespace llmbatch {
namespace {

using namespace std::chrono_literals;

Outcome outcome_of(ErrorClass error) {
  Outcome outcome;
  outcome.error = error;
  return outcome;
}

struct Row {
  ErrorClass error;
  int calls;        ///< calls in all, with max_retries 5 and a provider that answers nobody else
  ItemState state;  ///< `pending`: the run pauses
};

class RetryTable : public testing::TestWithParam<Row> {};

TEST_P(RetryTable, MatchesTheContract) {
  const RetryPolicy policy{RetrySettings{}};
  RetryHistory history;
  Decision decision;
  int calls = 0;
  do {
    ++calls;
    decision = policy.decide(outcome_of(GetParam().error), history, false, false, 0.5);
  } while (decision.step == NextStep::retry && calls < 100);
  EXPECT_EQ(calls, GetParam().calls);
  EXPECT_EQ(decision.state, GetParam().state);
  EXPECT_EQ(decision.step == NextStep::pause_run, GetParam().state == ItemState::pending);
}

INSTANTIATE_TEST_SUITE_P(Contract, RetryTable,
                         testing::Values(Row{ErrorClass::none, 1, ItemState::succeeded},
                                         Row{ErrorClass::rate_limited, 6, ItemState::failed},
                                         Row{ErrorClass::overloaded, 6, ItemState::failed},
                                         Row{ErrorClass::server_error, 6, ItemState::failed},
                                         Row{ErrorClass::connection, 6, ItemState::failed},
                                         Row{ErrorClass::request_timeout, 6, ItemState::failed},
                                         Row{ErrorClass::timeout, 2, ItemState::failed},
                                         Row{ErrorClass::content_policy, 1, ItemState::filtered},
                                         Row{ErrorClass::malformed, 2, ItemState::flagged},
                                         Row{ErrorClass::check_failed, 2, ItemState::flagged},
                                         Row{ErrorClass::truncated, 1, ItemState::flagged},
                                         Row{ErrorClass::invalid_request, 1, ItemState::failed},
                                         Row{ErrorClass::context_length, 1, ItemState::failed},
                                         Row{ErrorClass::too_large, 1, ItemState::failed},
                                         Row{ErrorClass::response_too_large, 1, ItemState::failed},
                                         Row{ErrorClass::quota_exhausted, 1, ItemState::pending},
                                         Row{ErrorClass::authentication, 1, ItemState::pending},
                                         Row{ErrorClass::permission, 1, ItemState::pending},
                                         Row{ErrorClass::model_not_found, 1, ItemState::pending}));

TEST(RetryPolicy, RetryAfterBeatsBackoff) {
  const RetryPolicy policy{RetrySettings{}};
  RetryHistory history;
  Outcome outcome = outcome_of(ErrorClass::overloaded);
  outcome.retry_after = 40s;
  const Decision decision = policy.decide(outcome, history, false, true, 0.9);
  EXPECT_EQ(decision.delay, 40s);
  EXPECT_EQ(decision.shared_pause, 40s);
}

TEST(RetryPolicy, AnAbsurdHintIsADay) {
  const RetryPolicy policy{RetrySettings{}};
  RetryHistory history;
  Outcome outcome = outcome_of(ErrorClass::rate_limited);
  outcome.retry_after = Duration::max();
  EXPECT_EQ(policy.decide(outcome, history, false, true, 0.9).delay, 24h);
}

TEST(RetryPolicy, BackoffDoublesUpToTheCap) {
  const RetryPolicy policy{RetrySettings{.max_retries = 20}};
  RetryHistory history;
  std::vector<Duration> delays;
  for (int i = 0; i < 8; ++i) {
    delays.push_back(
        policy.decide(outcome_of(ErrorClass::server_error), history, false, true, 0.5).delay);
  }
  EXPECT_EQ(delays, (std::vector<Duration>{500ms, 1s, 2s, 4s, 8s, 16s, 30s, 30s}));
}

TEST(RetryPolicy, ZeroRetriesForbidEveryFurtherAttempt) {
  const RetryPolicy policy{RetrySettings{.max_retries = 0}};
  for (const ErrorClass error : {ErrorClass::rate_limited, ErrorClass::server_error,
                                 ErrorClass::timeout, ErrorClass::malformed}) {
    RetryHistory history;
    EXPECT_EQ(policy.decide(outcome_of(error), history, false, true, 0.5).step, NextStep::finish);
  }
}

TEST(RetryPolicy, RateLimitAnswersAreFreeWhileOthersAreServed) {
  const RetryPolicy policy{RetrySettings{.max_retries = 1}};
  RetryHistory history;
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(policy.decide(outcome_of(ErrorClass::rate_limited), history, false, true, 0.5).step,
              NextStep::retry);
  }
  EXPECT_EQ(history.retries, 0u);
}

TEST(RetryPolicy, AnItemsOwnUnknownModelFailsThatItemAlone) {
  const RetryPolicy policy{RetrySettings{}};
  RetryHistory history;
  const Decision decision =
      policy.decide(outcome_of(ErrorClass::model_not_found), history, true, true, 0.5);
  EXPECT_EQ(decision.step, NextStep::finish);
  EXPECT_EQ(decision.state, ItemState::failed);
}

TEST(RetryPolicy, TruncatedIsRetriedOnceWhenAsked) {
  const RetryPolicy policy{RetrySettings{.retry_truncated = true}};
  RetryHistory history;
  EXPECT_EQ(policy.decide(outcome_of(ErrorClass::truncated), history, false, true, 0.5).step,
            NextStep::retry);
  EXPECT_EQ(policy.decide(outcome_of(ErrorClass::truncated), history, false, true, 0.5).state,
            ItemState::flagged);
}

TEST(RetryPolicy, TheServersWordAgainstARetryCounts) {
  const RetryPolicy policy{RetrySettings{}};
  RetryHistory history;
  Outcome outcome = outcome_of(ErrorClass::server_error);
  outcome.should_retry = false;
  EXPECT_EQ(policy.decide(outcome, history, false, true, 0.5).state, ItemState::failed);
}

}  // namespace
}  // namespace llmbatch
