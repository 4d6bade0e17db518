#include "llmbatch/model/http.h"

#include <gtest/gtest.h>

namespace llmbatch {
namespace {

constexpr std::string_view kHeaders =
    "Content-Type: application/json\r\n"
    "Retry-After:\t 12 \r\n"
    "X-Empty:\r\n"
    "no colon here\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "retry-after: 99\r\n"
    "Last: one";

TEST(FindHeader, NameIgnoresCaseAndValueIsTrimmed) {
  EXPECT_EQ(find_header(kHeaders, "content-type"), "application/json");
  EXPECT_EQ(find_header(kHeaders, "LAST"), "one");
}

TEST(FindHeader, FirstOfSeveralWins) { EXPECT_EQ(find_header(kHeaders, "retry-after"), "12"); }

TEST(FindHeader, ValueMayHoldColons) {
  EXPECT_EQ(find_header(kHeaders, "Date"), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(FindHeader, MissingOrEmptyIsEmpty) {
  EXPECT_EQ(find_header(kHeaders, "x-empty"), "");
  EXPECT_EQ(find_header(kHeaders, "retry"), "");
  EXPECT_EQ(find_header(kHeaders, "type"), "");
  EXPECT_EQ(find_header("", "date"), "");
}

}  // namespace
}  // namespace llmbatch
