#include "llmbatch/policy/pricing.h"

#include <gtest/gtest.h>

namespace llmbatch {
namespace {

const PriceTable& table() { return PriceTable::shipped(); }

const ModelPrice& price_of(std::string_view provider, std::string_view model) {
  const ModelPrice* price = table().find(provider, model);
  EXPECT_NE(price, nullptr) << provider << '/' << model;
  static const ModelPrice kNone;
  return price != nullptr ? *price : kNone;
}

std::string found(std::string_view provider, std::string_view model) {
  const ModelPrice* price = table().find(provider, model);
  return price != nullptr ? price->name() : "unknown";
}

Money usd(std::string_view decimal) { return *Money::parse_dollars(decimal); }
WallTime at(std::string_view time) { return *parse_rfc3339(time); }

/// A Sunday.
const WallTime kSunday = at("2026-11-22T02:00:00Z");

std::string cost_of(const ModelPrice& price, const Usage& usage, WallTime time = kSunday,
                    BillingMode mode = BillingMode::real_time) {
  const auto money = cost(price, usage, time, mode);
  return money ? money->to_decimal() : "unknown";
}

std::string batch_cost(const ModelPrice& price, const Usage& usage) {
  return cost_of(price, usage, kSunday, BillingMode::batch);
}

TEST(PriceTable, HoldsTheShippedModelsWithDateAndSources) {
  EXPECT_EQ(table().models().size(), 60U);
  EXPECT_EQ(table().date(), "2026-11-23");
  EXPECT_NE(table().source().find("USD per 1,000,000 tokens"), std::string::npos);
  for (const ModelPrice& model : table().models()) {
    EXPECT_FALSE(model.source.empty()) << model.name();
    EXPECT_NE(model.source, "the shipped prices") << model.name();
  }
  const ModelPrice& mini = price_of("openai", "gpt-4o-mini");
  EXPECT_EQ(mini.rates.input, usd("0.15"));
  EXPECT_EQ(mini.rates.cached_input, usd("0.075"));
  EXPECT_EQ(mini.rates.output, usd("0.6"));
  EXPECT_EQ(mini.context, 128'000);
  EXPECT_EQ(mini.max_output, 16'384);
  EXPECT_EQ(price_of("openai", "text-embedding-3-small").max_output, std::nullopt);
}

TEST(PriceTable, FindsAModelAndItsDatedSnapshots) {
  EXPECT_EQ(found("openai", "gpt-4o-mini"), "openai/gpt-4o-mini");
  EXPECT_EQ(found("openai", "gpt-4o-mini-2024-07-18"), "openai/gpt-4o-mini");
  EXPECT_EQ(found("openai", "gpt-4o-2024-08-06"), "openai/gpt-4o");
  EXPECT_EQ(found("anthropic", "claude-haiku-4-5-20251001"), "anthropic/claude-haiku-4-5");
  EXPECT_EQ(found("anthropic", "claude-haiku-4-5@20251001"), "anthropic/claude-haiku-4-5");
  EXPECT_EQ(found("gemini", "gemini-2.5-flash"), "gemini/gemini-2.5-flash");
  EXPECT_EQ(found("fireworks", "accounts/fireworks/models/gpt-oss-120b"),
            "fireworks/accounts/fireworks/models/gpt-oss-120b");
}

TEST(PriceTable, WhatIsOnlySimilarIsUnknown) {
  EXPECT_EQ(found("openai", "gpt-4o-mini-audio"), "unknown");
  EXPECT_EQ(found("openai", "gpt-4o-mini-audio-2024-12-17"), "unknown");
  EXPECT_EQ(found("openai", "gpt-4o-mini-2024"), "unknown");
  EXPECT_EQ(found("openai", "gpt-4o-mini-2024-13-18"), "unknown");
  EXPECT_EQ(found("openai", "gpt-4o-mini2024-07-18"), "unknown");
  EXPECT_EQ(found("openai", "gpt-4"), "unknown");
  EXPECT_EQ(found("openai", "ft:gpt-4o-mini:acme"), "unknown");
  EXPECT_EQ(found("openai", ""), "unknown");
  EXPECT_EQ(found("", "gpt-4o-mini"), "unknown");
  EXPECT_EQ(found("custom", "gpt-4o-mini"), "unknown");
  EXPECT_EQ(found("anthropic", "gpt-4o-mini"), "unknown");
}

TEST(PriceTable, ProvidersWithPricesOfTheirOwnAreUnknown) {
  // A deployment at Azure has any name, and its price may differ from OpenAI's.
  EXPECT_EQ(found("azure", "gpt-4o-mini"), "unknown");
  // Reports the cost itself.
  EXPECT_EQ(found("openrouter", "openai/gpt-4o-mini"), "unknown");
  for (const char* local : {"vllm", "ollama", "lmstudio"}) {
    EXPECT_EQ(found(local, "openai/gpt-oss-120b"), "unknown");
  }
  EXPECT_EQ(found("groq", "openai/gpt-oss-120b"), "groq/openai/gpt-oss-120b");
  EXPECT_EQ(found("together", "openai/gpt-oss-120b"), "together/openai/gpt-oss-120b");
}

TEST(Cost, TheHandSumOfFiftyThousandItems) {
  // 50,000 x 500 input at $3 and 200 output at $15: $75 + $150.
  const auto one = cost(price_of("anthropic", "claude-sonnet-4-6"), {.input = 500, .output = 200},
                        kSunday, BillingMode::real_time);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->pico() * 50'000, usd("225").pico());
}

TEST(Cost, IsRoundedOnceHalfUpToAPicoDollar) {
  const auto own = PriceTable::parse(
      R"({"models":[{"id":"m","provider":"custom","input":0.0000005,"output":0.0000004}]})", "t");
  ASSERT_TRUE(own) << own.error().message;
  const ModelPrice& price = *own->find("custom", "m");
  EXPECT_EQ(cost_of(price, {.input = 1}), "0.000000000001");               // 0.5 pico
  EXPECT_EQ(cost_of(price, {.output = 1}), "0");                           // 0.4 pico
  EXPECT_EQ(cost_of(price, {.input = 1, .output = 1}), "0.000000000001");  // 0.9, not 1 + 0
}

TEST(Cost, UnreportedCachePricesAreThoseOfOtherInput) {
  EXPECT_EQ(cost_of(price_of("groq", "llama-3.1-8b-instant"),
                    {.input = 1000, .cached_input = 400, .output = 100}),
            "0.000058");  // 1000 x 0.05 + 100 x 0.08
}

TEST(Cost, CacheWritesOfRecentOpenAiModels) {
  const Usage usage{.input = 3000, .cached_input = 1000, .cache_write = 1500, .output = 200};
  // 500 x 4 + 1000 x 0.4 + 1500 x 4 x 1.25 + 200 x 20
  EXPECT_EQ(cost_of(price_of("openai", "gpt-5.6-sol"), usage), "0.0139");
  // Older ones charge nothing extra: 500 x 5 + 1000 x 0.5 + 1500 x 5 + 200 x 30
  EXPECT_EQ(cost_of(price_of("openai", "gpt-5.5"), usage), "0.0165");
}

TEST(Cost, CacheWritesAtAnthropicByTheirLifetime) {
  // 20 x 1 + 100 x 1.25 + 200 x 2 + 400 x 0.1 + 9 x 5
  EXPECT_EQ(cost_of(price_of("anthropic", "claude-haiku-4-5"), {.input = 720,
                                                                .cached_input = 400,
                                                                .cache_write = 300,
                                                                .cache_write_one_hour = 200,
                                                                .output = 9}),
            "0.00063");
}

TEST(Cost, LongInputsByMultipliers) {
  const ModelPrice& luna = price_of("openai", "gpt-6-luna");
  Usage usage{.input = 272'000, .cached_input = 100'000, .output = 1000};
  // 172,000 x 0.1 + 100,000 x 0.01 + 1000 x 0.5
  EXPECT_EQ(cost_of(luna, usage), "0.0187");
  usage.input = 300'000;
  // The whole request: 200,000 x 0.2 + 100,000 x 0.02 + 1000 x 0.75
  EXPECT_EQ(cost_of(luna, usage), "0.04275");
  // 200,000 x 4 + 100,000 x 1 + 10 x 12
  EXPECT_EQ(cost_of(price_of("xai", "grok-4.7"),
                    {.input = 300'000, .cached_input = 100'000, .output = 10}),
            "0.90012");
}

TEST(Cost, LongInputsByPricesOfTheirOwn) {
  // 200,001 x 2.5 + 10 x 15
  EXPECT_EQ(cost_of(price_of("gemini", "gemini-2.5-pro"), {.input = 200'001, .output = 10}),
            "0.5001525");
  EXPECT_EQ(cost_of(price_of("gemini", "gemini-2.5-pro"), {.input = 200'000, .output = 10}),
            "0.2501");
  // Cache reads count for the limit: 10,001 x 0.5 + 90,000 x 0.05 + 10 x 2.5
  EXPECT_EQ(cost_of(price_of("anthropic", "claude-haiku-5-5"),
                    {.input = 100'001, .cached_input = 90'000, .output = 10}),
            "0.0095255");
}

TEST(Cost, PeakHoursAreWeekdaysInUtc) {
  const ModelPrice& flash = price_of("deepseek", "deepseek-flash");
  const Usage usage{.input = 100, .cached_input = 64, .output = 10};
  // 36 x 0.15 + 64 x 0.003 + 10 x 0.6; doubled in peak hours.
  const std::string usual = "0.000011592";
  const std::string peak = "0.000023184";
  EXPECT_EQ(cost_of(flash, usage, at("2026-11-22T02:00:00Z")), usual);  // Sunday
  EXPECT_EQ(cost_of(flash, usage, at("2026-11-23T00:59:59Z")), usual);  // Monday
  EXPECT_EQ(cost_of(flash, usage, at("2026-11-23T01:00:00Z")), peak);
  EXPECT_EQ(cost_of(flash, usage, at("2026-11-23T03:59:59Z")), peak);
  EXPECT_EQ(cost_of(flash, usage, at("2026-11-23T04:00:00Z")), usual);
  EXPECT_EQ(cost_of(flash, usage, at("2026-11-27T09:59:59Z")), peak);   // Friday
  EXPECT_EQ(cost_of(flash, usage, at("2026-11-28T07:00:00Z")), usual);  // Saturday
}

TEST(Cost, AnnouncedChangesBeginWithTheirDay) {
  const ModelPrice& flash = price_of("gemini", "gemini-3.6-flash");
  const Usage usage{.input = 1000, .cached_input = 200, .output = 100};
  // 800 x 0.75 + 200 x 0.075 + 100 x 3.75
  EXPECT_EQ(cost_of(flash, usage, at("2026-12-31T23:59:59.999Z")), "0.00099");
  EXPECT_EQ(cost_of(flash, usage, at("2027-01-01T00:00:00Z")), "0.00198");
  EXPECT_EQ(cost_of(flash, usage, at("2027-01-01T00:00:00Z"), BillingMode::batch), "0.001005");
}

TEST(Cost, BatchesAreHalfPriceAndCachedInputFollowsTheProvider) {
  const Usage usage{.input = 2000, .cached_input = 1000, .output = 100};
  // Halved with the rest: 1000 x 0.625 + 1000 x 0.0625 + 100 x 5
  EXPECT_EQ(batch_cost(price_of("openai", "gpt-5"), usage), "0.0011875");
  // No cached price in batches: 2000 x 1 + 100 x 4
  EXPECT_EQ(batch_cost(price_of("openai", "gpt-4.1"), usage), "0.0024");
  // 1000 x 0.5 + 1000 x 0.05 + 100 x 2.5
  EXPECT_EQ(batch_cost(price_of("anthropic", "claude-haiku-4-5"), usage), "0.0008");
  // The usual cached price: 1000 x 0.15 + 1000 x 0.03 + 100 x 1.25
  EXPECT_EQ(batch_cost(price_of("gemini", "gemini-2.5-flash"), usage), "0.000305");
  // The discounts do not stack: 1000 x 0.075 + 1000 x 0.075 + 100 x 0.3
  EXPECT_EQ(batch_cost(price_of("groq", "openai/gpt-oss-120b"), usage), "0.00018");
}

TEST(Cost, BatchesCombineWithTiersAndCacheWrites) {
  // 200,001 x 1.25 + 10 x 7.5
  EXPECT_EQ(batch_cost(price_of("gemini", "gemini-2.5-pro"), {.input = 200'001, .output = 10}),
            "0.25007625");
  // 300,000 x 0.05 x 2 + 1000 x 0.25 x 1.5
  EXPECT_EQ(batch_cost(price_of("openai", "gpt-6-luna"), {.input = 300'000, .output = 1000}),
            "0.030375");
  // 100 x 0.5 x 1.25 + 100 x 0.5 x 2
  EXPECT_EQ(batch_cost(price_of("anthropic", "claude-haiku-4-5"),
                       {.input = 200, .cache_write = 200, .cache_write_one_hour = 100}),
            "0.0001625");
}

TEST(Cost, WithoutABatchPriceItIsUnknown) {
  EXPECT_EQ(batch_cost(price_of("xai", "grok-4.7"), {.input = 1, .output = 1}), "unknown");
  EXPECT_EQ(batch_cost(price_of("deepseek", "deepseek-flash"), {.input = 1}), "unknown");
}

TEST(Cost, ImpossibleCountsStayWithinBounds) {
  const ModelPrice& price = price_of("openai", "gpt-6-astra");
  EXPECT_EQ(cost_of(price, {.input = 10, .cached_input = 10, .cache_write = 10}), "0.000135");
  const TokenCount huge = 1'000'000'000'000'000;
  EXPECT_EQ(cost_of(price, {.input = huge, .output = huge}), "1000000");
}

TEST(PriceFile, IsMergedOverTheShippedTable) {
  PriceTable own = table();
  const auto status = own.merge(
      R"({"models":[{"id":"gpt-4o-mini","provider":"openai","input":0.10,"cached_input":null},)"
      R"({"id":"llama","provider":"vllm","input":0,"output":0.02}]})",
      "prices.json");
  ASSERT_TRUE(status) << status.error().message;
  const ModelPrice& mini = *own.find("openai", "gpt-4o-mini");
  EXPECT_EQ(mini.rates.input, usd("0.1"));
  EXPECT_EQ(mini.rates.cached_input, std::nullopt);
  EXPECT_EQ(mini.rates.output, usd("0.6"));  // as shipped
  EXPECT_EQ(mini.max_output, 16'384);
  EXPECT_EQ(mini.source, "prices.json");
  EXPECT_EQ(cost_of(*own.find("vllm", "llama"), {.input = 5, .output = 100}), "0.000002");
  EXPECT_EQ(own.models().size(), 61U);
  EXPECT_EQ(own.overrides(), std::vector<std::string>{"prices.json"});
  EXPECT_EQ(own.date(), "2026-11-23");
}

TEST(PriceFile, TiersAndRulesCanBeReplaced) {
  PriceTable own = table();
  const auto status = own.merge(
      R"({"long_context_tiers":[{"ids":["gpt-4o"],"over_input_tokens":10,"input_multiplier":3,)"
      R"("cached_multiplier":1,"output_multiplier":1.5}],)"
      R"("time_tiers":[{"ids":["gpt-4o"],"peak_multiplier":2,"peak_utc":["00:00-24:00"]}],)"
      R"("cache_write_multipliers":{"anthropic":1.5,"openai_gpt_5_6_and_later":null}})",
      "p");
  ASSERT_TRUE(status) << status.error().message;
  // 20 x 2.5 x 3 x 2 + 10 x 10 x 1.5 x 2
  EXPECT_EQ(cost_of(*own.find("openai", "gpt-4o"), {.input = 20, .output = 10}), "0.0006");
  EXPECT_EQ(cost_of(*own.find("openai", "gpt-6-sol"), {.input = 1, .cache_write = 1}), "0.000002");
  EXPECT_EQ(cost_of(*own.find("anthropic", "claude-haiku-4-5"),
                    {.input = 2, .cache_write = 2, .cache_write_one_hour = 1}),
            "0.000003");
}

std::string merge_error(std::string_view json) {
  PriceTable own = table();
  const auto status = own.merge(json, "p.json");
  EXPECT_EQ(own.models().size(), table().models().size()) << "nothing is taken from a bad file";
  return status ? "accepted" : status.error().message;
}

TEST(PriceFile, ErrorsNameFilePlaceAndValue) {
  EXPECT_EQ(merge_error(R"({"models":[{"id":"m","provider":"x","input":"3","output":1}]})"),
            "p.json: models[0] (x/m): input: \"3\" is not a price (USD per million tokens, at most "
            "1000000, null where unknown)");
  EXPECT_EQ(merge_error(R"({"models":[{"id":"n","provider":"x","input":1,"output":1},)"
                        R"({"id":"m","provider":"x","input":-3,"output":1}]})")
                .substr(0, 36),
            "p.json: models[1] (x/m): input: -3 i");
  EXPECT_EQ(merge_error(R"({"models":[{"id":"m","provider":"x","input":3}]})"),
            "p.json: models[0] (x/m): output: a price is needed");
  EXPECT_EQ(merge_error(R"({"models":[{"id":"m","input":3}]})"),
            "p.json: models[0]: provider is missing");
  EXPECT_EQ(merge_error(R"({"models":[{"id":"m","provider":"x","input":3,"outptu":3}]})"),
            "p.json: models[0] (x/m): unknown member 'outptu'; did you mean 'output'?");
  EXPECT_EQ(merge_error(R"({"models":[{"id":"gpt-4o","provider":"openai","context":1.5}]})"),
            "p.json: models[0] (openai/gpt-4o): context: 1.5 is not a number of tokens");
  EXPECT_EQ(merge_error(R"({"long_context_tiers":[{"ids":["gpt-9"],"over_input_tokens":1}]})"),
            "p.json: long_context_tiers[0]: ids[0]: \"gpt-9\" is not the id of a known model");
  EXPECT_EQ(merge_error(R"({"time_tiers":[{"ids":["gpt-4o"],"peak_multiplier":2,)"
                        R"("peak_utc":["4-7"]}]})"),
            "p.json: time_tiers[0]: peak_utc[0]: \"4-7\" is not a span such as \"01:00-04:00\"");
  EXPECT_EQ(merge_error("[1]"), "p.json: not a JSON object");
  EXPECT_NE(merge_error("{\"models\":[\n  {]}").find("p.json: not JSON: parse error at line 2"),
            std::string::npos);
  EXPECT_EQ(merge_error(std::string(100'000, '[')), "p.json: not JSON: nested too deeply");
}

TEST(PriceFile, PricesKeepTheirDigits) {
  const auto own = PriceTable::parse(
      R"({"models":[{"id":"m","provider":"x","input":0.123456789012,"output":1e-9}]})", "t");
  ASSERT_TRUE(own) << own.error().message;
  EXPECT_EQ(own->find("x", "m")->rates.input.pico(), 123'456'789'012);
  EXPECT_EQ(own->find("x", "m")->rates.output.pico(), 1000);
  EXPECT_EQ(merge_error(R"({"models":[{"id":"m","provider":"x","input":0.0000000000001,)"
                        R"("output":1}]})")
                .substr(0, 30),
            "p.json: models[0] (x/m): input");
}

TEST(JobPrices, FlatPricesTakeThePlaceOfTheTable) {
  const auto prices = JobPrices::make(table(), "anthropic", "claude-haiku-5-5",
                                      {usd("3"), usd("15"), std::nullopt});
  ASSERT_TRUE(prices);
  const ModelPrice& price = *prices->find("claude-haiku-5-5");
  // No tiers, and cached input like other input; the provider's rule for cache writes stays.
  EXPECT_EQ(cost_of(price, {.input = 200'000, .cached_input = 100'000, .output = 1000}), "0.615");
  EXPECT_EQ(cost_of(price, {.input = 100, .cache_write = 100}), "0.000375");
  EXPECT_EQ(batch_cost(price, {.input = 1000, .output = 100}), "0.00225");
  EXPECT_EQ(price.max_output, 128'000);
  // Other models keep the table's price.
  EXPECT_EQ(prices->find("claude-haiku-4-5")->rates.input, usd("1"));
  EXPECT_EQ(prices->find("nobody"), nullptr);
}

TEST(JobPrices, OnePartMayBeReplacedWhereTheTableKnowsTheOther) {
  const auto prices =
      JobPrices::make(table(), "openai", "gpt-4o-mini", {std::nullopt, usd("1"), usd("0.01")});
  ASSERT_TRUE(prices);
  EXPECT_EQ(cost_of(*prices->find("gpt-4o-mini"), {.input = 2, .cached_input = 1, .output = 1}),
            "0.00000116");
  const auto unknown = JobPrices::make(table(), "vllm", "llama", {usd("1"), {}, {}});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::usage);
  EXPECT_NE(unknown.error().message.find("vllm/llama"), std::string::npos);
}

TEST(JobPrices, WithoutAModelOfTheJobTheFlatPriceIsForAll) {
  const auto prices = JobPrices::make(table(), "custom", "", {usd("1"), usd("2"), {}});
  ASSERT_TRUE(prices);
  EXPECT_EQ(cost_of(*prices->find("any"), {.input = 1, .output = 1}), "0.000003");
  EXPECT_EQ(JobPrices().find("gpt-4o"), nullptr);
}

}  // namespace
}  // namespace llmbatch
