#include <gtest/gtest.h>

#include <map>
#include <random>

#include "llmbatch/input/scan.h"
#include "unit/input/fake_provider.h"

namespace llmbatch {
namespace {

using testing::FakeProvider;
using testing::TemporaryDirectory;
using testing::VectorIndex;

struct Found {
  std::map<std::uint64_t, std::uint64_t> same_as;  ///< line to seq
  std::map<std::uint64_t, std::uint64_t> seqs;     ///< line to seq of what is to be run
  ScanCounts counts;
};

Found scan(const TemporaryDirectory& directory, const std::string& text,
           const VectorIndex& index = {}, ScanOptions options = {}) {
  options.temporary_directory = directory.path();
  auto input = InputFile::open(directory.file("in.jsonl", text), directory.path());
  auto result = scan_input(*input, FakeProvider(), index, options);
  EXPECT_TRUE(result.has_value());
  Found found;
  found.counts = result->counts;
  LineRun run;
  while (*result->plan->next(run)) {
    if (run.kind != LineKind::todo && run.kind != LineKind::todo_again) continue;
    for (std::uint64_t i = 0; i < run.count; ++i)
      found.seqs[run.first_line + i] = run.first_seq + i;
  }
  if (!result->repeats) return found;
  while (*result->repeats->next(run)) {
    for (std::uint64_t i = 0; i < run.count; ++i) {
      found.same_as[run.first_line + i] = run.first_seq + i;
    }
  }
  return found;
}

std::string line(const std::string& id, const std::string& prompt) {
  return R"({"id":")" + id + R"(","prompt":")" + prompt + "\"}\n";
}

IndexRecord record(const std::string& id, const std::string& prompt, std::uint64_t seq,
                   ItemState state) {
  return {hash128(id), hash128("{\"p\":\"" + prompt + "\"}", 7), seq, state};
}

using Pairs = std::map<std::uint64_t, std::uint64_t>;

TEST(ScanRepeats, EachLineFollowsTheOneBeforeItWithTheSameRequest) {
  const TemporaryDirectory directory;
  const Found found = scan(directory, line("a", "x") + line("b", "y") + line("c", "x") + "\n" +
                                          line("d", "x") + line("e", "z"));
  EXPECT_EQ(found.same_as, (Pairs{{3, 1}, {5, 3}}));
  EXPECT_EQ(found.counts.repeats, 2U);
}

TEST(ScanRepeats, NothingIsSaidOfAFileWithoutAny) {
  const TemporaryDirectory directory;
  const Found found = scan(directory, line("a", "x") + line("b", "y"));
  EXPECT_TRUE(found.same_as.empty());
  EXPECT_EQ(found.counts.repeats, 0U);
}

TEST(ScanRepeats, DuplicatesAndUnusableLinesArePassedOver) {
  const TemporaryDirectory directory;
  const Found found = scan(directory, line("bad", "x") + line("bad", "y") + line("a", "x") +
                                          line("a", "x") + line("b", "x") + line("c", "y"));
  EXPECT_EQ(found.seqs, (Pairs{{3, 1}, {5, 2}, {6, 3}}));
  EXPECT_EQ(found.same_as, (Pairs{{5, 1}}));
}

TEST(ScanRepeats, AnsweredLinesGiveAndFailedOnesDoNot) {
  const TemporaryDirectory directory;
  VectorIndex index;
  index.records = {record("good", "x", 1, ItemState::succeeded),
                   record("bad", "x", 2, ItemState::failed),
                   record("refused", "y", 3, ItemState::filtered)};
  const Found found = scan(directory,
                           line("good", "x") + line("bad", "x") + line("refused", "y") +
                               line("new", "x") + line("other", "y"),
                           index);
  EXPECT_EQ(found.seqs, (Pairs{{4, 4}, {5, 5}}));
  EXPECT_EQ(found.same_as, (Pairs{{4, 1}}));
}

TEST(ScanRepeats, WhatIsStoredGivesAlsoWhenItsLineComesLaterOrIsGone) {
  const TemporaryDirectory directory;
  VectorIndex index;
  index.records = {record("later", "x", 1, ItemState::succeeded),
                   record("gone", "y", 2, ItemState::succeeded),
                   record("waits", "z", 3, ItemState::pending)};
  const Found found =
      scan(directory,
           line("a", "x") + line("b", "y") + line("later", "x") + line("c", "z") + line("d", "y"),
           index);
  EXPECT_EQ(found.same_as, (Pairs{{1, 1}, {2, 2}, {5, 5}}));
}

TEST(ScanRepeats, AnEditTakenBackFindsItsOldAnswer) {
  const TemporaryDirectory directory;
  VectorIndex index;
  index.records = {record("a", "x", 1, ItemState::succeeded),
                   record("a", "x", 1, ItemState::pending),
                   record("a", "y", 1, ItemState::succeeded)};
  const Found found = scan(directory, line("a", "x"), index);
  EXPECT_EQ(found.same_as, (Pairs{{1, 1}}));
}

TEST(ScanRepeats, FewerRequestsThanLinesOfAnyNumberAreFoundExactly) {
  const TemporaryDirectory directory;
  std::mt19937 random(7);
  for (const int requests : {1, 3, 5'000, 150'000}) {
    std::string text;
    Pairs expected;
    std::map<int, std::uint64_t> last;
    for (std::uint64_t number = 1; number <= 150'000; ++number) {
      const int request = static_cast<int>(random() % static_cast<unsigned>(requests));
      text += line(std::to_string(number), "p" + std::to_string(request));
      if (last.count(request) != 0) expected[number] = last[request];
      last[request] = number;
    }
    const Found found = scan(directory, text);
    EXPECT_EQ(found.same_as, expected) << requests;
    EXPECT_EQ(found.counts.repeats, expected.size());
  }
}

}  // namespace
}  // namespace llmbatch
