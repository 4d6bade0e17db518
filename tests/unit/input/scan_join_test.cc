#include "../src/input/scan_join.h"

#include <gtest/gtest.h>

#include <map>

#include "unit/input/fake_provider.h"

namespace llmbatch {
namespace {

/// More different ids than fit in memory at a time, all in one partition.
TEST(ScanJoin, ReadsAPartitionWithTooManyIdsInParts) {
  const testing::TemporaryDirectory directory;
  constexpr std::uint64_t kIds = 40'000;
  PartitionFile<ScannedLine> lines(directory.path(), kScanPartitions);
  PartitionFile<StoredItem> stored(directory.path(), kScanPartitions);
  const auto id = [](std::uint64_t i) { return Hash128{5, i * 0x9e3779b97f4a7c15ULL}; };
  for (std::uint64_t i = 1; i <= kIds; ++i) {
    ASSERT_TRUE(lines.append(0, {id(i), Hash128{1, i}, i}).has_value());
    const auto state = static_cast<std::uint64_t>(ItemState::succeeded);
    if (i % 2 == 0) {
      ASSERT_TRUE(stored.append(0, {id(i), Hash128{1, i}, i << 3U | state}).has_value());
    }
  }
  for (std::uint64_t i = 1; i <= 100; ++i) {
    ASSERT_TRUE(lines.append(0, {id(i), Hash128{1, i}, kIds + i}).has_value());
  }
  const SliceLayout layout(kIds + 100);
  ScanJoin join(lines, &stored, {}, layout, directory.path());
  ASSERT_TRUE(join.join(0).has_value());
  std::map<std::uint64_t, std::uint64_t> decisions;
  for (std::size_t slice = 0; slice < layout.slices; ++slice) {
    auto read = join.decisions().for_each(slice, [&](const Decision& decision) {
      EXPECT_TRUE(decisions.emplace(decision.line, decision.value).second) << decision.line;
    });
    ASSERT_TRUE(read.has_value());
  }
  ASSERT_EQ(decisions.size(), kIds + 100);
  for (std::uint64_t i = 1; i <= kIds; ++i) {
    const LineKind expected = i % 2 == 0 ? LineKind::done : LineKind::todo;
    ASSERT_EQ(Decision::kind(decisions[i]), expected) << i;
    if (i % 2 == 0) {
      ASSERT_EQ(Decision::number(decisions[i]), i);
    }
  }
  EXPECT_EQ(Decision::kind(decisions[kIds + 1]), LineKind::duplicate);
}

TEST(ScanJoin, SlicesCoverEveryLine) {
  for (const std::uint64_t lines : {1ULL, 65'536ULL, 65'537ULL, 10'000'000ULL, 900'000'000ULL}) {
    const SliceLayout layout(lines);
    EXPECT_GE(layout.slices * layout.slice_lines, lines);
    EXPECT_LT((layout.slices - 1) * layout.slice_lines, lines);
    EXPECT_LE(layout.slices, 1024U);
  }
}

}  // namespace
}  // namespace llmbatch
