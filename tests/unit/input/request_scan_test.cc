#include "llmbatch/input/request_scan.h"

#include <gtest/gtest.h>

#include <array>
#include <map>

#include "llmbatch/input/chosen_lines.h"
#include "llmbatch/input/scan.h"
#include "unit/input/fake_provider.h"

namespace llmbatch {
namespace {

using testing::FakeProvider;
using testing::TemporaryDirectory;
using testing::VectorIndex;

class CollectingVisitor final : public RequestVisitor {
 public:
  void visit(const Request& request, std::uint64_t seq, bool todo) override {
    (todo ? todo_ : done_)[seq] = request.body;
  }
  std::map<std::uint64_t, std::string> todo_;
  std::map<std::uint64_t, std::string> done_;
};

std::string line_of(int number, std::size_t padding = 0) {
  return R"({"id":"i)" + std::to_string(number) + R"(","prompt":")" + std::to_string(number) +
         std::string(padding, 'x') + "\"}\n";
}

IndexRecord done_record(int number, std::uint64_t seq) {
  const std::string text = std::to_string(number);
  return {hash128("i" + text), hash128("{\"p\":\"" + text + "\"}", 7), seq, ItemState::succeeded};
}

class RequestScanTest : public ::testing::Test {
 protected:
  ScanResult scan(const std::string& text, const VectorIndex& index) {
    input_ = *InputFile::open(directory_.file("in.jsonl", text), directory_.path());
    ScanOptions options;
    options.temporary_directory = directory_.path();
    return std::move(*scan_input(*input_, provider_, index, options));
  }

  TemporaryDirectory directory_;
  FakeProvider provider_;
  std::optional<InputFile> input_;
};

TEST_F(RequestScanTest, ShowsWhatIsToDoAndTheDoneItemsAskedFor) {
  VectorIndex index;
  for (int i = 1; i <= 3; ++i) {
    index.records.push_back(done_record(i, static_cast<std::uint64_t>(i)));
  }
  std::string text = "\n";
  for (int i = 1; i <= 5; ++i) text += line_of(i);
  const ScanResult scanned = scan(text + "no json\n" + line_of(5), index);
  CollectingVisitor visitor;
  RequestScanOptions options;
  options.done_seqs = {2};
  const std::array<RequestVisitor*, 1> visitors{&visitor};
  ASSERT_TRUE(scan_requests(*input_, provider_, *scanned.plan, options, visitors));
  EXPECT_EQ(visitor.todo_, (std::map<std::uint64_t, std::string>{{4, R"({"p":"4"})"},
                                                                 {5, R"({"p":"5"})"}}));
  EXPECT_EQ(visitor.done_, (std::map<std::uint64_t, std::string>{{2, R"({"p":"2"})"}}));
}

TEST_F(RequestScanTest, TwoThreadsSeeEveryRequestOnce) {
  constexpr int kItems = 5'000;
  std::string text;
  for (int i = 1; i <= kItems; ++i) text += line_of(i, 400);
  const ScanResult scanned = scan(text, {});
  CollectingVisitor first;
  CollectingVisitor second;
  RequestScanOptions options;
  options.chunk_bytes = 16 * 1024;
  const std::array<RequestVisitor*, 2> visitors{&first, &second};
  ASSERT_TRUE(scan_requests(*input_, provider_, *scanned.plan, options, visitors));
  EXPECT_EQ(first.todo_.size() + second.todo_.size(), std::size_t{kItems});
  first.todo_.merge(second.todo_);
  EXPECT_EQ(first.todo_.size(), std::size_t{kItems});
  EXPECT_TRUE(first.todo_.at(4'999).starts_with(R"({"p":"4999x)"));
}

TEST_F(RequestScanTest, AnotherFileThanThePlansIsAnError) {
  const ScanResult scanned = scan(line_of(1) + line_of(2), {});
  directory_.file("in.jsonl", line_of(1) + "no json any more\n");
  CollectingVisitor visitor;
  const std::array<RequestVisitor*, 1> visitors{&visitor};
  const Status status = scan_requests(*input_, provider_, *scanned.plan, {}, visitors);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("changed while it was read (line 2)"), std::string::npos);
}

TEST_F(RequestScanTest, ChosenLinesAreTheOnesOfTheirOrdinals) {
  VectorIndex index;
  index.records = {done_record(2, 1)};
  std::string text;
  for (int i = 1; i <= 6; ++i) text += line_of(i);
  ScanResult scanned = scan(text, index);
  ChosenLines chosen(std::move(scanned.plan), {0, 1, 4});
  for (int pass = 0; pass < 2; ++pass) {
    std::vector<std::uint64_t> lines;
    std::vector<std::uint64_t> seqs;
    LineRun run;
    while (*chosen.next(run)) {
      EXPECT_EQ(run.count, 1U);
      lines.push_back(run.first_line);
      seqs.push_back(run.first_seq);
    }
    EXPECT_EQ(lines, (std::vector<std::uint64_t>{1, 3, 6}));
    EXPECT_EQ(seqs, (std::vector<std::uint64_t>{2, 3, 6}));
    ASSERT_TRUE(chosen.rewind());
  }
}

TEST(DrawOrdinals, AreDistinctAndEquallyLikely) {
  std::array<int, 20> hits{};
  for (std::uint64_t seed = 0; seed < 4'000; ++seed) {
    const auto drawn = draw_ordinals(20, 5, seed);
    ASSERT_EQ(drawn.size(), 5U);
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      ASSERT_TRUE(i == 0 || drawn[i - 1] < drawn[i]);
      ++hits.at(drawn[i]);
    }
  }
  for (const int count : hits) EXPECT_NEAR(count, 1'000, 110);
  EXPECT_EQ(draw_ordinals(3, 10, 1), (std::vector<std::uint64_t>{0, 1, 2}));
  EXPECT_EQ(draw_ordinals(20, 5, 1), draw_ordinals(20, 5, 1));
}

}  // namespace
}  // namespace llmbatch
