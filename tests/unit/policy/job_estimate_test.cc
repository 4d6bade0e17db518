#include "llmbatch/policy/job_estimate.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace llmbatch {
namespace {

Money dollars(const char* text) { return *Money::parse_dollars(text); }

JobPrices flat_prices(const char* provider, const char* input, const char* output) {
  FlatPrice flat;
  flat.input = dollars(input);
  flat.output = dollars(output);
  return *JobPrices::make(PriceTable::shipped(), provider, "mine", flat);
}

JobPrices table_prices(const char* provider) {
  return *JobPrices::make(PriceTable::shipped(), provider, "", {});
}

Request request_of(const char* model, TokenCount cap = 0) {
  Request request;
  request.model = model;
  request.output_cap = cap;
  return request;
}

RequestTally tally_of(const JobPrices& prices, const Request& request, TokenCount input,
                      int items) {
  RequestTally tally(prices);
  for (int i = 0; i < items; ++i) tally.add(request, input);
  return tally;
}

WallTime at(const char* time) { return *parse_rfc3339(time); }

const WallTime kSaturdayNoon = at("2026-11-28T12:00:00Z");

EstimateBasis exact_basis() {
  EstimateBasis basis;
  basis.count_margin = 0;
  return basis;
}

// 50,000 items of 500 input and 200 output tokens at $3 and $15 per million tokens: $75 for the
// input and $150 for the output, $225.
TEST(JobEstimate, HandSumOfFiftyThousandItems) {
  const JobPrices prices = flat_prices("openai", "3", "15");
  const RequestTally tally = tally_of(prices, request_of("mine"), 500, 50'000);
  EstimateBasis basis = exact_basis();
  basis.output = SampleInterval{100, 200, 0, 200, 200};
  const JobEstimate estimate = estimate_job(tally.groups(), basis, kSaturdayNoon);
  EXPECT_EQ(estimate.items, 50'000);
  EXPECT_EQ(estimate.input.expected, 25'000'000);
  EXPECT_EQ(estimate.output.expected, 10'000'000);
  ASSERT_TRUE(estimate.real_time);
  EXPECT_EQ(estimate.real_time->input.expected, dollars("75"));
  EXPECT_EQ(estimate.real_time->output.expected, dollars("150"));
  EXPECT_EQ(estimate.real_time->total.expected, dollars("225"));
  EXPECT_EQ(estimate.real_time->total.low, dollars("225"));
  EXPECT_EQ(estimate.real_time->total.high, dollars("225"));
  ASSERT_TRUE(estimate.batch);
  EXPECT_EQ(estimate.batch->total.expected, dollars("112.5"));
}

TEST(JobEstimate, WithoutAnswersTheOutputReachesFromTheAssumptionToTheCap) {
  const JobPrices prices = flat_prices("openai", "3", "15");
  const RequestTally tally = tally_of(prices, request_of("mine", 200), 500, 50'000);
  const JobEstimate estimate = estimate_job(tally.groups(), exact_basis(), kSaturdayNoon);
  EXPECT_EQ(estimate.output.low, 50'000 * kAssumedOutput);
  EXPECT_FALSE(estimate.output.expected);
  EXPECT_EQ(estimate.output.high, 10'000'000);
  EXPECT_EQ(estimate.real_time->total.low, dollars("112.5"));
  EXPECT_FALSE(estimate.real_time->total.expected);
  EXPECT_EQ(estimate.real_time->total.high, dollars("225"));
}

TEST(JobEstimate, ACapBelowTheAssumptionIsTheLeastAsWell) {
  const JobPrices prices = flat_prices("openai", "3", "15");
  const RequestTally tally = tally_of(prices, request_of("mine", 5), 500, 10);
  const JobEstimate estimate = estimate_job(tally.groups(), exact_basis(), kSaturdayNoon);
  EXPECT_EQ(estimate.output.low, 50);
  EXPECT_EQ(estimate.output.high, 50);
}

TEST(JobEstimate, TheModelsMaximumStandsInForAMissingCap) {
  const JobPrices prices = table_prices("openai");
  const RequestTally tally = tally_of(prices, request_of("gpt-4o-mini"), 500, 3);
  const JobEstimate estimate = estimate_job(tally.groups(), exact_basis(), kSaturdayNoon);
  EXPECT_EQ(estimate.output.high, 3 * 16'384);
  EXPECT_EQ(tally.groups()[0].model_caps, 3);
}

TEST(JobEstimate, WithoutAnyCapThereIsNoUpperBound) {
  const JobPrices prices = flat_prices("custom", "3", "15");
  const RequestTally tally = tally_of(prices, request_of("mine"), 500, 10);
  const JobEstimate estimate = estimate_job(tally.groups(), exact_basis(), kSaturdayNoon);
  EXPECT_FALSE(estimate.output.high);
  ASSERT_TRUE(estimate.real_time);
  EXPECT_FALSE(estimate.real_time->total.high);
  EXPECT_EQ(estimate.real_time->input.high, dollars("0.015"));
  EXPECT_FALSE(estimate.batch) << "a server of one's own has no batch price";
}

TEST(JobEstimate, OneUnknownPriceMakesTheWholeUnknown) {
  const JobPrices prices = table_prices("openai");
  RequestTally tally(prices);
  tally.add(request_of("gpt-4o-mini", 10), 100);
  tally.add(request_of("no-such-model", 10), 100);
  const JobEstimate estimate = estimate_job(tally.groups(), exact_basis(), kSaturdayNoon);
  EXPECT_FALSE(estimate.real_time);
  EXPECT_FALSE(estimate.batch);
  EXPECT_EQ(estimate.input.expected, 200);
  EXPECT_EQ(tally.unpriced(), 1);
  EXPECT_EQ(tally.unpriced_models(), std::vector<std::string>{"no-such-model"});
}

TEST(JobEstimate, NothingToDoCostsNothing) {
  const JobEstimate estimate = estimate_job({}, EstimateBasis(), kSaturdayNoon);
  EXPECT_EQ(estimate.input.high, 0);
  EXPECT_EQ(estimate.output.expected, 0);
  ASSERT_TRUE(estimate.real_time);
  EXPECT_EQ(estimate.real_time->total.high, Money());
}

TEST(JobEstimate, ACountWithoutVocabularyHasAMargin) {
  const JobPrices prices = flat_prices("openai", "3", "15");
  const RequestTally tally = tally_of(prices, request_of("mine", 200), 500, 2'000);
  const JobEstimate estimate = estimate_job(tally.groups(), EstimateBasis(), kSaturdayNoon);
  EXPECT_EQ(estimate.input.low, 950'000);
  EXPECT_EQ(estimate.input.expected, 1'000'000);
  EXPECT_EQ(estimate.input.high, 1'050'000);
  EXPECT_EQ(estimate.real_time->input.high, dollars("3.15"));
}

TEST(JobEstimate, ReportedTokensCorrectTheCount) {
  const JobPrices prices = flat_prices("openai", "3", "15");
  const RequestTally tally = tally_of(prices, request_of("mine", 200), 500, 2'000);
  EstimateBasis basis;
  basis.input_ratio = SampleInterval{50, 1.2, 0, 1.1, 1.3};
  const JobEstimate estimate = estimate_job(tally.groups(), basis, kSaturdayNoon);
  EXPECT_EQ(estimate.counted_input, 1'000'000);
  EXPECT_EQ(estimate.input.low, 1'100'000);
  EXPECT_EQ(estimate.input.expected, 1'200'000);
  EXPECT_EQ(estimate.input.high, 1'300'000);
}

// gpt-6-luna: above 272,000 tokens of input all of it costs twice, the output one and a half times.
TEST(JobEstimate, EachRequestHasThePriceOfItsOwnTier) {
  const JobPrices prices = table_prices("openai");
  const ModelPrice& price = *prices.find("gpt-6-luna");
  RequestTally tally(prices);
  tally.add(request_of("gpt-6-luna", 1000), 272'000);
  tally.add(request_of("gpt-6-luna", 1000), 272'001);
  const JobEstimate estimate = estimate_job(tally.groups(), exact_basis(), kSaturdayNoon);
  Usage small{.input = 272'000, .output = 1000};
  Usage large{.input = 272'001, .output = 1000};
  const Money sum = *cost(price, small, kSaturdayNoon, BillingMode::real_time) +
                    *cost(price, large, kSaturdayNoon, BillingMode::real_time);
  EXPECT_EQ(estimate.real_time->total.high, sum);
}

// deepseek-flash costs twice in its peak hours on weekdays; Saturday noon is none.
TEST(JobEstimate, PeakHoursAreTheUpperBound) {
  const JobPrices prices = table_prices("deepseek");
  const RequestTally tally = tally_of(prices, request_of("deepseek-flash", 1000), 1000, 1000);
  EstimateBasis basis = exact_basis();
  basis.output = SampleInterval{100, 1000, 0, 1000, 1000};
  const JobEstimate estimate = estimate_job(tally.groups(), basis, kSaturdayNoon);
  const MoneyInterval& total = estimate.real_time->total;
  EXPECT_EQ(total.low, total.expected);
  EXPECT_EQ(total.high, total.low + total.low);
}

TEST(JobEstimate, EmbeddingsHaveNoOutput) {
  const JobPrices prices = flat_prices("openai", "3", "15");
  const RequestTally tally = tally_of(prices, request_of("mine"), 500, 2'000);
  EstimateBasis basis = exact_basis();
  basis.no_output = true;
  const JobEstimate estimate = estimate_job(tally.groups(), basis, kSaturdayNoon);
  EXPECT_EQ(estimate.output.high, 0);
  EXPECT_EQ(estimate.real_time->total.expected, dollars("3"));
}

TEST(RequestTally, MergedTalliesAreOne) {
  const JobPrices prices = flat_prices("openai", "3", "15");
  RequestTally first = tally_of(prices, request_of("mine", 200), 500, 10);
  const RequestTally second = tally_of(prices, request_of("mine"), 100, 5);
  first.merge(second);
  ASSERT_EQ(first.groups().size(), 1U);
  EXPECT_EQ(first.items(), 15);
  EXPECT_EQ(first.input(), 5'500);
  EXPECT_EQ(first.groups()[0].own_caps, 10);
  EXPECT_EQ(first.groups()[0].uncapped(), 5);
}

TEST(RequestTally, ASampleIsScaledToTheWhole) {
  const JobPrices prices = flat_prices("openai", "3", "15");
  RequestTally sample = tally_of(prices, request_of("mine", 200), 500, 3);
  std::vector<RequestGroup> groups = sample.scaled_to(1'000);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].items, 1'000);
  EXPECT_EQ(groups[0].input, 500'000);
  EXPECT_EQ(groups[0].caps, 200'000);
  EXPECT_EQ(groups[0].uncapped(), 0);
  sample.add(request_of("mine"), 500);
  EXPECT_EQ(sample.scaled_to(1'000)[0].uncapped(), 250);
  EXPECT_GT(sample.scaled_to(2)[0].uncapped(), 0);
  EXPECT_TRUE(RequestTally(prices).scaled_to(10).empty());
}

JobEstimate fifty_thousand() {
  const JobPrices prices = flat_prices("openai", "3", "15");
  EstimateBasis basis = exact_basis();
  basis.output = SampleInterval{100, 200, 0, 150, 250};
  const RequestTally tally = tally_of(prices, request_of("mine"), 500, 50'000);
  return estimate_job(tally.groups(), basis, kSaturdayNoon);
}

TEST(JobDuration, TheTightestLimitDecides) {
  PaceLimits limits;
  limits.rpm = 500;
  limits.tpm = 1'000'000;
  const auto duration = estimate_duration(fifty_thousand(), limits);
  ASSERT_TRUE(duration);
  EXPECT_EQ(duration->bound_by, "rpm");
  EXPECT_DOUBLE_EQ(duration->low_seconds, 6'000);
  EXPECT_DOUBLE_EQ(*duration->high_seconds, 6'000);
  EXPECT_FALSE(duration->latency_known);
}

TEST(JobDuration, TokensOfTheIntervalGiveAnInterval) {
  PaceLimits limits;
  limits.otpm = 10'000;
  const auto duration = estimate_duration(fifty_thousand(), limits);
  EXPECT_EQ(duration->bound_by, "otpm");
  EXPECT_DOUBLE_EQ(duration->low_seconds, 750 * 60);
  EXPECT_DOUBLE_EQ(*duration->high_seconds, 1'250 * 60);
}

TEST(JobDuration, RequestsPerDayAndLatency) {
  PaceLimits limits;
  limits.rpd = 20'000;
  EXPECT_DOUBLE_EQ(estimate_duration(fifty_thousand(), limits)->low_seconds, 2 * 86'400);
  limits = {};
  limits.latency_seconds = 2;
  limits.concurrency = 100;
  EXPECT_DOUBLE_EQ(estimate_duration(fifty_thousand(), limits)->low_seconds, 1'000);
  EXPECT_FALSE(estimate_duration(fifty_thousand(), {}));
}

TEST(SharedPrefix, IsWhatAllBeginWith) {
  SharedPrefix first;
  first.add("system: be brief. one");
  first.add("system: be brief. two");
  SharedPrefix second;
  second.add("system: be kind.");
  SharedPrefix none;
  first.merge(none);
  EXPECT_EQ(first.text(), "system: be brief. ");
  first.merge(second);
  EXPECT_EQ(first.text(), "system: be ");
}

TEST(PromptCacheSaving, OneWriteAndTheOthersRead) {
  ModelPrice price;
  price.rates.input = dollars("3");
  price.rates.cached_input = dollars("0.3");
  price.rates.output = dollars("15");
  price.cache_writes.five_minutes = Factor{1'250'000};
  // 999 reads save 2,000 x $2.70/M each, one write costs 2,000 x $0.75/M more.
  EXPECT_EQ(prompt_cache_saving(price, 2'000, 1'000, kSaturdayNoon), dollars("5.3931"));
  EXPECT_FALSE(prompt_cache_saving(price, 1'000, 1'000, kSaturdayNoon)) << "too short to be cached";
  price.rates.cached_input.reset();
  EXPECT_FALSE(prompt_cache_saving(price, 2'000, 1'000, kSaturdayNoon));
}

}  // namespace
}  // namespace llmbatch
