#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "llmbatch/sim/settings.h"

namespace llmbatch::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Latency, ReadsAFixedTime) {
  const auto latency = parse_latency("200ms");
  ASSERT_TRUE(latency);
  EXPECT_EQ(latency->sample(0.1, 0.9), milliseconds(200));
}

TEST(Latency, ReadsARangeWithOneUnitForBothEnds) {
  const auto latency = parse_latency("100-300ms");
  ASSERT_TRUE(latency);
  EXPECT_EQ(latency->sample(0.0, 0), milliseconds(100));
  EXPECT_EQ(latency->sample(0.5, 0), milliseconds(200));
}

TEST(Latency, ReadsARangeWithTwoUnits) {
  const auto latency = parse_latency("500ms-2s");
  ASSERT_TRUE(latency);
  EXPECT_EQ(latency->low, milliseconds(500));
  EXPECT_EQ(latency->high, seconds(2));
}

TEST(Latency, LognormalHasItsMedianAnd95thPercentileWhereTheyWereAsked) {
  const auto latency = parse_latency("lognormal:800ms:3s");
  ASSERT_TRUE(latency);
  int below_median = 0;
  int below_p95 = 0;
  constexpr int kSteps = 100;
  for (int i = 0; i < kSteps; ++i) {
    for (int k = 0; k < kSteps; ++k) {
      const Duration value = latency->sample((i + 0.5) / kSteps, (k + 0.5) / kSteps);
      below_median += value < milliseconds(800) ? 1 : 0;
      below_p95 += value < seconds(3) ? 1 : 0;
    }
  }
  EXPECT_NEAR(below_median, 5000, 100);
  EXPECT_NEAR(below_p95, 9500, 100);
}

TEST(Latency, NamesTheWrongPart) {
  EXPECT_EQ(parse_latency("200").error().message,
            "'200': not a duration (expected e.g. 250ms, 1.5s, 2m)");
  EXPECT_EQ(parse_latency("100-3x").error().message,
            "'3x': not a duration (expected e.g. 250ms, 1.5s, 2m)");
  EXPECT_EQ(parse_latency("3s-1s").error().message, "'3s-1s': the smallest is above the largest");
  EXPECT_FALSE(parse_latency("lognormal:800ms"));
  EXPECT_FALSE(parse_latency("lognormal:3s:800ms"));
  EXPECT_FALSE(parse_latency(""));
  EXPECT_FALSE(parse_latency("-5ms"));
}

TEST(FaultMix, DrawsInTheProportionsAsked) {
  const auto mix = parse_fault_mix("429=0.2, 500=10%, slow:2s=0.1");
  ASSERT_TRUE(mix);
  EXPECT_EQ(fault_name(mix->draw(0.19)), "429");
  EXPECT_EQ(fault_name(mix->draw(0.21)), "500");
  EXPECT_EQ(fault_name(mix->draw(0.35)), "slow");
  EXPECT_EQ(mix->draw(0.35).duration, seconds(2));
  EXPECT_EQ(fault_name(mix->draw(0.41)), "ok");
}

TEST(FaultMix, NamesTheWrongPart) {
  EXPECT_EQ(parse_fault_mix("429=0.01,fliter=0.1").error().message,
            "'fliter': not an error the simulator knows (did you mean filter?)");
  EXPECT_THAT(
      parse_fault_mix("content_policy=3%").error().message,
      testing::StartsWith("'content_policy': not an error the simulator knows (400 to 599, ok, "));
  EXPECT_EQ(parse_fault_mix("429=2").error().message,
            "'429=2': '2' is not a probability (expected e.g. 0.01 or 1%)");
  EXPECT_EQ(parse_fault_mix("500").error().message, "'500': no probability (expected NAME=0.01)");
  EXPECT_EQ(parse_fault_mix("500=0.7,hang=0.7").error().message,
            "'500=0.7,hang=0.7': the probabilities add up to more than 1");
  EXPECT_FALSE(parse_fault_mix("200=0.5"));
  EXPECT_FALSE(parse_fault_mix("500=0.1,"));
}

TEST(FaultMix, EmptyMeansNoFaults) {
  const auto mix = parse_fault_mix("");
  ASSERT_TRUE(mix);
  EXPECT_EQ(mix->draw(0).fault, Fault::none);
}

TEST(Script, ReadsStepsWithDurations) {
  const auto steps = parse_script("429=2s,slow=500ms,noerror");
  ASSERT_TRUE(steps);
  ASSERT_EQ(steps->size(), 3U);
  EXPECT_EQ((*steps)[0].duration, seconds(2));
  EXPECT_EQ((*steps)[1].fault, Fault::slow);
  EXPECT_EQ((*steps)[2].fault, Fault::none);
  EXPECT_FALSE(parse_script("ok=1s"));
  EXPECT_FALSE(parse_script("slow"));
}

TEST(AnswerMode, ReadsLabelsAndWordCounts) {
  EXPECT_EQ(parse_answer_mode("classify")->labels.size(), 5U);
  EXPECT_EQ(parse_answer_mode("classify:spam, ham")->labels,
            (std::vector<std::string>{"spam", "ham"}));
  EXPECT_EQ(parse_answer_mode("words:12")->words, 12U);
  EXPECT_FALSE(parse_answer_mode("words:none"));
  EXPECT_FALSE(parse_answer_mode("shout"));
}

TEST(Classify, FollowsTheWordsOfTheTicket) {
  const auto labels = parse_answer_mode("classify")->labels;
  const std::string intro = "Choose billing, technical, account, shipping or other.\nTicket:\n";
  EXPECT_EQ(classify(labels, intro + "I was charged twice, please refund me", 1), "billing");
  EXPECT_EQ(classify(labels, intro + "The app crashes with error 0x12", 1), "technical");
  EXPECT_EQ(classify(labels, intro + "I forgot my password and cannot log in", 1), "account");
  EXPECT_EQ(classify(labels, intro + "Where is my parcel?", 1), "shipping");
}

TEST(Words, AreAsManyAsAsked) {
  const std::string text = make_answer(*parse_answer_mode("words:5"), "", 7);
  EXPECT_EQ(std::count(text.begin(), text.end(), ' '), 4);
}

TEST(Settings, WordsForStylesAndHints) {
  EXPECT_EQ(*parse_header_style("groq"), HeaderStyle::groq);
  EXPECT_EQ(*parse_retry_hint("http-date"), RetryHint::http_date);
  EXPECT_EQ(parse_retry_hint("later").error().message,
            "'later': not a retry hint (expected auto, seconds, milliseconds, http-date, none)");
}

}  // namespace
}  // namespace llmbatch::sim
