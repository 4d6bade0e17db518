// Raising the limit of open files.
#include "llmbatch/net/descriptor_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace llmbatch {
namespace {

TEST(DescriptorLimit, SoftLimitIsRaisedToTheHardLimit) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit lowered{.rlim_cur = 256, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &lowered), 0);

  const std::size_t usable = raise_descriptor_limit();

  rlimit after{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_GT(after.rlim_cur, 256U);
  EXPECT_LT(usable, after.rlim_cur);
  EXPECT_GT(usable, after.rlim_cur / 2);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace llmbatch
