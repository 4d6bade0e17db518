// The pass by request hash where a partition holds more requests than the table.
#include <gtest/gtest.h>

#include "../src/input/scan_repeats.h"
#include "unit/input/fake_provider.h"

namespace llmbatch {
namespace {

using testing::TemporaryDirectory;
using testing::VectorIndex;

constexpr std::uint64_t kRequests = 120'000;

/// Hashes of one partition; their lower halves are spread like those of real ones.
Hash128 hash_of(std::uint64_t request) {
  Hash128 hash = hash128(std::to_string(request));
  hash.high = 0;
  return hash;
}

TEST(ScanRepeatsParts, EveryPairOfACrowdedPartitionIsFoundOnce) {
  const TemporaryDirectory directory;
  PartitionFile<RequestLine> requests(directory.path(), kScanPartitions);
  for (std::uint64_t line = 1; line <= 2 * kRequests; ++line) {
    ASSERT_TRUE(requests.append(0, {hash_of(line % kRequests).low, line}));
  }
  const SliceLayout layout(2 * kRequests);
  ScanRepeats repeats(layout, directory.path());
  ASSERT_TRUE(repeats.find_repeats(requests, 0));
  std::vector<int> seen(kRequests + 1);
  for (std::size_t slice = 0; slice < layout.slices; ++slice) {
    ASSERT_TRUE(repeats.repeats().for_each(slice, [&](const Repeat& repeat) {
      ASSERT_EQ(repeat.next_line, repeat.line + kRequests);
      ++seen[repeat.line];
    }));
  }
  for (std::uint64_t line = 1; line <= kRequests; ++line) ASSERT_EQ(seen[line], 1) << line;
}

TEST(ScanRepeatsParts, EveryDonorOfACrowdedPartitionIsFound) {
  const TemporaryDirectory directory;
  PartitionFile<RequestLine> wanted(directory.path(), kScanPartitions);
  VectorIndex index;
  for (std::uint64_t request = 1; request <= kRequests; ++request) {
    ASSERT_TRUE(wanted.append(0, {hash_of(request).low, request}));
    index.records.push_back({Hash128{}, hash_of(request), request + 5, ItemState::succeeded});
  }
  const SliceLayout layout(kRequests);
  ScanRepeats repeats(layout, directory.path());
  ASSERT_TRUE(repeats.find_donors({&wanted}, index));
  std::uint64_t found = 0;
  for (std::size_t slice = 0; slice < layout.slices; ++slice) {
    ASSERT_TRUE(repeats.donors().for_each(slice, [&](const Donor& donor) {
      ASSERT_EQ(donor.seq, donor.line + 5);
      ++found;
    }));
  }
  EXPECT_EQ(found, kRequests);
}

}  // namespace
}  // namespace llmbatch
