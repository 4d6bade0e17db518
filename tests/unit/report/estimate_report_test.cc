#include "llmbatch/report/estimate_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace llmbatch {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

Money dollars(const char* text) { return *Money::parse_dollars(text); }

/// 50,000 requests of 500 tokens that may answer with up to 200, at $3 and $15 per million.
class EstimateReportTest : public ::testing::Test {
 protected:
  EstimateReportTest() {
    FlatPrice flat;
    flat.input = dollars("3");
    flat.output = dollars("15");
    prices_ = *JobPrices::make(PriceTable::shipped(), "openai", "mine", flat);
    report_.input = "tickets.jsonl";
    report_.model = "openai/mine";
    report_.counter = "a counter";
    report_.basis.count_margin = 0;
  }

  void estimate(const char* model, TokenCount cap) {
    RequestTally tally(prices_);
    Request request;
    request.model = model;
    request.output_cap = cap;
    for (int i = 0; i < 50'000; ++i) tally.add(request, 500);
    report_.to_do = tally.items();
    report_.items[ItemState::pending] = tally.items();
    report_.own_caps = cap > 0 ? tally.items() : 0;
    report_.unpriced = tally.unpriced();
    report_.unpriced_models = tally.unpriced_models();
    report_.job = estimate_job(tally.groups(), report_.basis, WallTime{});
    report_.limits.rpm = 500;
    report_.duration = estimate_duration(report_.job, report_.limits);
  }

  JobPrices prices_;
  EstimateReport report_;
};

TEST_F(EstimateReportTest, TextSaysWhatIsKnownAndWhatIsAssumed) {
  report_.basis.output = SampleInterval{30, 200, 10, 200, 200};
  estimate("mine", 0);
  const std::string text = format_estimate(report_);
  EXPECT_THAT(text, HasSubstr("50,000 to do"));
  EXPECT_THAT(text, HasSubstr("cost       $225.00  [$75.00 in, $150.00 out]"));
  EXPECT_THAT(text, HasSubstr("in batches $112.50"));
  EXPECT_THAT(text, HasSubstr("200 per item by 30 earlier answers"));
  EXPECT_THAT(text, HasSubstr("about 1h40m (rpm limit)"));
  EXPECT_THAT(text, Not(HasSubstr("no answers are known")));
}

TEST_F(EstimateReportTest, WithoutAnswersItIsARangeUpToTheCap) {
  estimate("mine", 200);
  const std::string text = format_estimate(report_);
  EXPECT_THAT(text,
              HasSubstr("50,000 to 10.0M  [no answers are known yet: from 1 per item to the cap"));
  EXPECT_THAT(text, HasSubstr("$75.75 to $225.00"));
  EXPECT_EQ(format_estimate_line(report_),
            "25.0M tokens in, 50,000 to 10.0M out, $75.75 to $225.00, about 1h40m (rpm limit)");
}

TEST_F(EstimateReportTest, TheLineOfARunInBatchesHasTheirCostAndNoDuration) {
  report_.basis.output = SampleInterval{30, 200, 10, 200, 200};
  estimate("mine", 0);
  EXPECT_EQ(format_estimate_line(report_, BillingMode::batch),
            "25.0M tokens in, 10.0M out, $112.50 in batches");
  report_.job.batch.reset();
  EXPECT_THAT(format_estimate_line(report_, BillingMode::batch),
              HasSubstr(", cost unknown in batches"));
}

TEST_F(EstimateReportTest, UnknownIsNeverADollarFigure) {
  report_.model = "openai/strange\x1b[31m";
  estimate("strange\x1b[31m", 0);
  const std::string text = format_estimate(report_);
  EXPECT_THAT(text, HasSubstr("cost       unknown  [no price for strange"));
  EXPECT_THAT(text, HasSubstr("at least 50,000  [no answers are known yet: from 1 per item to no"));
  EXPECT_THAT(text, Not(HasSubstr("$")));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(format_estimate_line(report_), HasSubstr("cost unknown"));
  const json object = json::parse(estimate_json(report_));
  EXPECT_TRUE(object["cost_usd"]["real_time"].is_null());
  EXPECT_TRUE(object["output_tokens"]["high"].is_null());
}

TEST_F(EstimateReportTest, BothWaysAreToldWhereThereAreBoth) {
  report_.basis.output = SampleInterval{30, 200, 10, 200, 200};
  estimate("mine", 0);
  const json object = json::parse(estimate_json(report_));
  EXPECT_EQ(object["cost_usd"]["real_time"]["expected"], 225);
  EXPECT_EQ(object["cost_usd"]["batch"]["expected"], 112.5);
}

TEST_F(EstimateReportTest, WithoutABatchPriceItIsUnknownAndNotThatOfRealTime) {
  FlatPrice flat;
  flat.input = dollars("3");
  flat.output = dollars("15");
  prices_ = *JobPrices::make(PriceTable::shipped(), "deepseek", "mine", flat);
  report_.basis.output = SampleInterval{30, 200, 10, 200, 200};
  estimate("mine", 0);
  const std::string text = format_estimate(report_);
  EXPECT_THAT(text, HasSubstr("cost       $225.00"));
  EXPECT_THAT(text, HasSubstr("in batches unknown  [no batch price is known for this model]\n"));
  const json object = json::parse(estimate_json(report_));
  EXPECT_EQ(object["cost_usd"]["real_time"]["expected"], 225);
  EXPECT_TRUE(object["cost_usd"]["batch"].is_null());
}

// The names that scripts read.
TEST_F(EstimateReportTest, JsonNames) {
  estimate("mine", 200);
  const json object = json::parse(estimate_json(report_));
  const auto names = [](const json& value) {
    std::string text;
    for (const auto& [name, unused] : value.items()) text += name + ' ';
    return text;
  };
  EXPECT_EQ(names(object),
            "cost_usd database duration_seconds input input_tokens items model notes output_tokens "
            "price prompt_caching unpriced_items unpriced_models ");
  EXPECT_EQ(names(object["items"]), "done_before duplicates invalid repeats to_do total ");
  EXPECT_EQ(names(object["input_tokens"]),
            "basis correction counted counter expected high low sample ");
  EXPECT_EQ(names(object["output_tokens"]),
            "basis capped_by_model capped_by_request deviation expected high low mean sample ");
  EXPECT_EQ(names(object["cost_usd"]), "batch real_time saved ");
  EXPECT_EQ(names(object["cost_usd"]["real_time"]), "expected high input low output ");
  EXPECT_EQ(names(object["duration_seconds"]), "bound_by high latency_seconds low ");
  EXPECT_EQ(names(object["prompt_caching"]), "saves_up_to_usd shared_prefix_tokens ");
  EXPECT_EQ(object["output_tokens"]["basis"], "cap");
  EXPECT_EQ(object["cost_usd"]["real_time"]["high"], 225);
  EXPECT_TRUE(object["cost_usd"]["real_time"]["expected"].is_null());
}

}  // namespace
}  // namespace llmbatch
