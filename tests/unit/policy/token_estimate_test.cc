#include "llmbatch/policy/token_estimate.h"

#include <gtest/gtest.h>

namespace llmbatch {
namespace {

Usage used(TokenCount input, TokenCount output) {
  Usage usage;
  usage.input = input;
  usage.output = output;
  return usage;
}

TEST(TokenEstimate, StartsFromTheCount) {
  const TokenEstimate estimate;
  EXPECT_EQ(estimate.reserve(400, 0).input, 400);
  EXPECT_EQ(estimate.reserve(400, 0).output, 256);
  EXPECT_EQ(estimate.reserve(400, 100).output, 100);
}

TEST(TokenEstimate, CorrectsInputAndOutputApart) {
  TokenEstimate estimate;
  estimate.learn_input(100, used(110, 20));
  EXPECT_EQ(estimate.reserve(400, 0).input, 440);
  EXPECT_EQ(estimate.reserve(400, 0).output, 256);
  estimate.learn_output(used(110, 20));
  EXPECT_EQ(estimate.reserve(400, 0).output, 20);
  EXPECT_EQ(estimate.reserve(400, 5).output, 5);
}

TEST(TokenEstimate, TheRatioIsThatOfTheSumsSoThatShortTextsDoNotRuleIt) {
  TokenEstimate estimate;
  estimate.learn_input(10, used(40, 1));  // a picture, or a frame around a short text
  estimate.learn_input(990, used(960, 1));
  EXPECT_EQ(estimate.reserve(1000, 0).input, 1000);
}

TEST(TokenEstimate, WhatTheProviderDidNotReportTeachesNothing) {
  TokenEstimate estimate;
  Usage usage = used(500, 9);
  usage.estimated = true;
  estimate.learn_input(100, usage);
  estimate.learn_output(usage);
  EXPECT_EQ(estimate.learnt(), UsageMeans{});
  estimate.learn_input(100, used(0, 9));  // embeddings of some servers
  EXPECT_EQ(estimate.reserve(100, 0).input, 100);
}

TEST(TokenEstimate, GoesOnFromWhatWasStored) {
  const TokenEstimate estimate(UsageMeans{200, 300, 50, 12, 50});
  EXPECT_EQ(estimate.reserve(10, 0).input, 15);
  EXPECT_EQ(estimate.reserve(10, 0).output, 12);
}

TEST(TokenEstimate, TheLeastIsNeverMoreThanTheCountNorThanTheBytes) {
  TokenEstimate estimate(UsageMeans{100, 400, 50, 12, 50});
  EXPECT_EQ(estimate.least(1000).input, 750);
  estimate = TokenEstimate(UsageMeans{100, 50, 50, 12, 50});
  EXPECT_EQ(estimate.least(1000).input, 500);
  Request request;
  request.body = "12345";
  EXPECT_EQ(TokenEstimate::at_most(request).input, 5);
}

TEST(TokenEstimate, LateAnswersAreSampled) {
  TokenEstimate estimate;
  int wanted = 0;
  for (int i = 0; i < 256 + 64 * 10; ++i) {
    if (estimate.wants_input()) {
      ++wanted;
      estimate.learn_input(100, used(100, 1));
    }
    estimate.learn_output(used(100, 1));
  }
  EXPECT_EQ(wanted, 256 + 10);
}

}  // namespace
}  // namespace llmbatch
