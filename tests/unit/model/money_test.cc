#include "llmbatch/model/money.h"

#include <gtest/gtest.h>

#include <limits>

namespace llmbatch {
namespace {

std::optional<std::int64_t> pico(std::string_view text) {
  const std::optional<Money> money = Money::parse_dollars(text);
  return money ? std::optional(money->pico()) : std::nullopt;
}

TEST(MoneyParse, DecimalsAreExact) {
  EXPECT_EQ(pico("3"), 3'000'000'000'000);
  EXPECT_EQ(pico("0.15"), 150'000'000'000);
  EXPECT_EQ(pico("0.1"), 100'000'000'000);
  EXPECT_EQ(pico("0.000000000001"), 1);
  EXPECT_EQ(pico("-2.5"), -2'500'000'000'000);
  EXPECT_EQ(pico("+1"), 1'000'000'000'000);
  EXPECT_EQ(pico(".5"), 500'000'000'000);
  EXPECT_EQ(pico("007.50"), 7'500'000'000'000);
}

TEST(MoneyParse, ExponentsAreExact) {
  EXPECT_EQ(pico("1.5e-7"), 150'000);
  EXPECT_EQ(pico("6E-08"), 60'000);
  EXPECT_EQ(pico("1e3"), 1'000'000'000'000'000);
  EXPECT_EQ(pico("1.25E+1"), 12'500'000'000'000);
  EXPECT_EQ(pico("100e-14"), 1);
  EXPECT_EQ(pico("0e99999999999999999999"), 0);
}

TEST(MoneyParse, ZerosBelowThePicoDollarCostNothing) {
  EXPECT_EQ(pico("0.15000000000000000000000"), 150'000'000'000);
  EXPECT_EQ(pico("0.0"), 0);
}

TEST(MoneyParse, DigitsBelowThePicoDollarAreRefused) {
  EXPECT_EQ(pico("0.0000000000001"), std::nullopt);
  EXPECT_EQ(pico("1e-13"), std::nullopt);
  EXPECT_EQ(pico("1e-99999999999999999999"), std::nullopt);
}

TEST(MoneyParse, RangeEndsAtSixtyThreeBits) {
  EXPECT_EQ(pico("9223372.036854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(pico("-9223372.036854775807"), -std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(pico("9223372.036854775808"), std::nullopt);
  EXPECT_EQ(pico("10000000"), std::nullopt);
  EXPECT_EQ(pico("1e99999999999999999999"), std::nullopt);
  EXPECT_EQ(pico("99999999999999999999999999"), std::nullopt);
}

TEST(MoneyParse, WhatIsNoDecimalIsRefused) {
  for (const char* text : {"", "-", ".", "1.", "e5", "1e", "1e+", "$1", "1,5", " 1", "1 ", "0x10",
                           "nan", "inf", "1.2.3", "--1"}) {
    EXPECT_EQ(pico(text), std::nullopt) << text;
  }
}

TEST(MoneyDecimal, HasNoTrailingZeros) {
  EXPECT_EQ(Money().to_decimal(), "0");
  EXPECT_EQ(Money::from_pico(63'600'000).to_decimal(), "0.0000636");
  EXPECT_EQ(Money::from_pico(1).to_decimal(), "0.000000000001");
  EXPECT_EQ(Money::from_pico(225'000'000'000'000).to_decimal(), "225");
  EXPECT_EQ(Money::from_pico(-1'500'000'000'000).to_decimal(), "-1.5");
  EXPECT_EQ(Money::from_pico(std::numeric_limits<std::int64_t>::min()).to_decimal(),
            "-9223372.036854775808");
}

TEST(MoneyDecimal, IsReadBackAsItWas) {
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{1}, std::int64_t{999'999'999'999},
                                   std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(pico(Money::from_pico(value).to_decimal()), value);
  }
}

TEST(MoneyDisplay, CentsAboveADollar) {
  EXPECT_EQ(Money::parse_dollars("225")->to_display(), "$225.00");
  EXPECT_EQ(Money::parse_dollars("3.42")->to_display(), "$3.42");
  EXPECT_EQ(Money::parse_dollars("3.425")->to_display(), "$3.43");
  EXPECT_EQ(Money::parse_dollars("1")->to_display(), "$1.00");
  EXPECT_EQ(Money::parse_dollars("-1.234")->to_display(), "-$1.23");
}

TEST(MoneyDisplay, FourDigitsBelowADollar) {
  EXPECT_EQ(Money::parse_dollars("0.0000636")->to_display(), "$0.0000636");
  EXPECT_EQ(Money::parse_dollars("0.00012345678")->to_display(), "$0.0001235");
  EXPECT_EQ(Money::parse_dollars("0.5")->to_display(), "$0.50");
  EXPECT_EQ(Money::parse_dollars("0.99999")->to_display(), "$1.00");
  EXPECT_EQ(Money::parse_dollars("0.000000000001")->to_display(), "$0.000000000001");
  EXPECT_EQ(Money().to_display(), "$0.00");
}

TEST(Money, AddsSubtractsAndCompares) {
  Money money = Money::from_pico(5) + Money::from_pico(7);
  money += Money::from_pico(1);
  EXPECT_EQ(money, Money::from_pico(13));
  EXPECT_EQ(money - Money::from_pico(14), Money::from_pico(-1));
  EXPECT_LT(Money::from_pico(-1), Money());
}

}  // namespace
}  // namespace llmbatch
