#include "llmbatch/policy/budget.h"

#include <gtest/gtest.h>

namespace llmbatch {
namespace {

using Answer = Budget::Answer;
using namespace std::chrono_literals;

constexpr SteadyTime kStart{};

Money usd(std::string_view decimal) { return *Money::parse_dollars(decimal); }

/// As large a ceiling as a test needs.
void raise(Budget& budget, Money amount, SteadyTime stamp = kStart) {
  budget.ask(amount, 0);
  budget.hand_over(stamp);
  budget.on_durable(stamp);
}

TEST(Budget, WithoutALimitEverythingStarts) {
  Budget budget(std::nullopt, usd("5"), Money());
  EXPECT_EQ(budget.ask(usd("1000"), 500), Answer::start);
  EXPECT_FALSE(budget.needs_higher_ceiling());
}

TEST(Budget, SpentHeldAndReservedNeverPassTheLimit) {
  Budget budget(usd("10"), usd("3"), usd("2"));
  raise(budget, usd("2"));
  ASSERT_EQ(budget.ask(usd("2"), 0), Answer::start);
  budget.take(usd("2"));
  raise(budget, usd("3"), kStart + 1s);
  ASSERT_EQ(budget.ask(usd("3"), 1), Answer::start);
  budget.take(usd("3"));
  EXPECT_EQ(budget.ask(Money::from_pico(1), 2), Answer::wait_for_answers);
  budget.settle(usd("3"), usd("1"), false);
  raise(budget, usd("2"), kStart + 2s);
  EXPECT_EQ(budget.ask(usd("2"), 1), Answer::start);
  EXPECT_EQ(budget.spent(), usd("4"));
}

TEST(Budget, WhatDoesNotFitAloneIsOver) {
  Budget budget(usd("1"), usd("0.5"), Money());
  EXPECT_EQ(budget.ask(usd("0.6"), 0), Answer::over);
  EXPECT_FALSE(budget.needs_higher_ceiling()) << "no ceiling makes room for it";
}

TEST(Budget, AnErrorAnswerGivesItsAmountBackAndALostOneDoesNot) {
  Budget budget(usd("1"), Money(), Money());
  budget.take(usd("0.3"));
  budget.take(usd("0.4"));
  budget.settle(usd("0.3"), std::nullopt, false);
  budget.settle(usd("0.4"), std::nullopt, true);
  EXPECT_EQ(budget.settled(), usd("0.4"));
  EXPECT_EQ(budget.spent(), Money());
}

TEST(Budget, FourCallsAtMostUntilTheFirstUsageIsBack) {
  Budget budget(usd("100"), Money(), Money());
  raise(budget, usd("1"));
  EXPECT_EQ(budget.ask(usd("0.1"), 3), Answer::start);
  EXPECT_EQ(budget.ask(usd("0.1"), 4), Answer::wait_for_answers);
  budget.learn(100, 120);
  EXPECT_EQ(budget.ask(usd("0.1"), 4), Answer::start);
}

TEST(Budget, TheLargestRatioCorrectsEstimates) {
  Budget budget(usd("1"), Money(), Money());
  EXPECT_EQ(budget.corrected(100), 100);
  budget.learn(100, 80);
  EXPECT_EQ(budget.corrected(100), 100);
  budget.learn(100, 150);
  budget.learn(100, 120);
  EXPECT_EQ(budget.corrected(101), 152);
}

TEST(Budget, NothingStartsBeyondTheDurableCeiling) {
  Budget budget(usd("100"), usd("10"), Money());
  EXPECT_EQ(budget.ask(usd("1"), 0), Answer::wait_for_store);
  EXPECT_TRUE(budget.needs_higher_ceiling());
  const Money ceiling = budget.hand_over(kStart);
  EXPECT_GE(ceiling, usd("11"));
  EXPECT_LE(ceiling, usd("100"));
  EXPECT_FALSE(budget.needs_higher_ceiling()) << "it is on its way";
  EXPECT_EQ(budget.ask(usd("1"), 0), Answer::wait_for_store);
  budget.on_durable(kStart);
  EXPECT_EQ(budget.ask(usd("1"), 0), Answer::start);
}

TEST(Budget, ALowerCeilingCountsFromWhenItIsHandedOver) {
  Budget budget(usd("100"), Money(), Money());
  budget.take(usd("50"));
  raise(budget, usd("10"));
  budget.settle(usd("50"), Money(), false);
  budget.learn(1, 1);
  ASSERT_EQ(budget.ask(usd("40"), 1), Answer::start) << "below the old ceiling";
  budget.ask(usd("1"), 1);
  budget.hand_over(kStart + 1s);
  EXPECT_EQ(budget.ask(usd("40"), 1), Answer::wait_for_store)
      << "a kill after that commit would forget this call";
}

Request request_of(std::string body, TokenCount cap) {
  Request request;
  request.body = std::move(body);
  request.output_cap = cap;
  return request;
}

std::string most(std::string_view provider, std::string_view model, const std::string& body,
                 TokenCount cap, TokenCount input) {
  const auto money = most_expensive(*PriceTable::shipped().find(provider, model),
                                    request_of(body, cap), input, WallTime{});
  return money ? money->to_decimal() : "unknown";
}

TEST(MostExpensive, IsInputAndTheOutputCap) {
  // 1000 x 0.15 + 100 x 0.6
  EXPECT_EQ(most("openai", "gpt-4o-mini", "{}", 100, 1000), "0.00021");
  // Without a cap of its own the model's: 16,384 x 0.6
  EXPECT_EQ(most("openai", "gpt-4o-mini", "{}", 0, 1000), "0.0099804");
  EXPECT_EQ(most("openai", "text-embedding-3-small", "{}", 0, 1000), "0.00002");
  EXPECT_EQ(most("gemini", "gemini-3.8-flash", "{}", 0, 1000), "unknown");
}

TEST(MostExpensive, CountsEveryChoice) {
  EXPECT_EQ(most("openai", "gpt-4o-mini", R"({"n": 3,"messages":[]})", 100, 0), "0.00018");
  EXPECT_EQ(most("openai", "gpt-4o-mini", R"({"x":"say \"n\": 9"})", 100, 0), "0.00006");
  EXPECT_EQ(most("openai", "gpt-4o-mini", R"({"properties":{"n":{"type":"x"}}})", 100, 0),
            "0.00006");
}

TEST(MostExpensive, CountsCacheWritesThatMayHappen) {
  EXPECT_EQ(most("openai", "gpt-5.6-sol", "{}", 1, 1000), "0.00502");  // 5 x 1000 + 20
  EXPECT_EQ(most("anthropic", "claude-haiku-4-5", "{}", 1, 1000), "0.001005");
  EXPECT_EQ(
      most("anthropic", "claude-haiku-4-5", R"({"cache_control":{"type":"ephemeral"}})", 1, 1000),
      "0.001255");
  EXPECT_EQ(most("anthropic", "claude-haiku-4-5", R"({"cache_control":{"ttl":"1h"}})", 1, 1000),
            "0.002005");
}

}  // namespace
}  // namespace llmbatch
