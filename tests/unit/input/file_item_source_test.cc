#include "llmbatch/input/file_item_source.h"

#include <gtest/gtest.h>

#include <fstream>

#include "unit/input/fake_provider.h"

namespace llmbatch {
namespace {

using testing::FakeProvider;
using testing::TemporaryDirectory;

class VectorRuns final : public LineRunStream {
 public:
  explicit VectorRuns(std::vector<LineRun> runs) : runs_(std::move(runs)) {}
  Result<bool> next(LineRun& run) override {
    if (position_ == runs_.size()) return false;
    run = runs_[position_++];
    return true;
  }
  Status rewind() override {
    position_ = 0;
    return {};
  }

 private:
  std::vector<LineRun> runs_;
  std::size_t position_ = 0;
};

/// Ten lines of 27 bytes: ids t-0 to t-9.
std::string ten_lines() {
  std::string text;
  for (int i = 0; i < 10; ++i) {
    text += R"({"id":"t-)" + std::to_string(i) + R"(","prompt":"hi"})" + "\n";
  }
  return text;
}

class FileItemSourceTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<FileItemSource>> open(const std::string& text, std::vector<LineRun> runs,
                                               FileItemSourceOptions options = {}) {
    auto input = InputFile::open(directory_.file("in.jsonl", text), directory_.path());
    if (!input) return forward_error(input);
    return FileItemSource::open(*input, provider_, std::make_unique<VectorRuns>(std::move(runs)),
                                std::move(options));
  }
  std::vector<std::string> read_all(FileItemSource& source) {
    std::vector<std::string> items;
    Item item;
    for (;;) {
      auto more = source.next(item);
      if (!more) items.push_back("error: " + more.error().message);
      if (!more || !*more) return items;
      items.push_back(item.id + " " + std::to_string(item.seq));
    }
  }

  TemporaryDirectory directory_;
  FakeProvider provider_;
};

TEST_F(FileItemSourceTest, YieldsWhatIsToBeRunWithItsSeq) {
  auto source = open(ten_lines(), {{1, 2, LineKind::done, 1},
                                   {3, 2, LineKind::todo, 40},
                                   {5, 1, LineKind::duplicate, 0},
                                   {6, 1, LineKind::todo_again, 9},
                                   {7, 4, LineKind::invalid, 0}});
  ASSERT_TRUE(source.has_value());
  EXPECT_EQ((*source)->next_line(), 1U);
  EXPECT_EQ(read_all(**source), (std::vector<std::string>{"t-2 40", "t-3 41", "t-5 9"}));
  EXPECT_EQ((*source)->next_line(), 11U);
}

TEST_F(FileItemSourceTest, FillsInTheWholeItem) {
  FileItemSourceOptions options;
  options.store_input = true;
  auto source = open("\n{\"id\":\"a\",\"prompt\":\"hi\",\"model\":\"m\"}\r\n",
                     {{1, 1, LineKind::blank, 0}, {2, 1, LineKind::todo, 5}}, options);
  ASSERT_TRUE(source.has_value());
  Item item;
  item.attempts = 3;
  ASSERT_TRUE(*(*source)->next(item));
  EXPECT_EQ(item.seq, 5U);
  EXPECT_EQ(item.id, "a");
  EXPECT_EQ(item.id_hash, hash128("a"));
  EXPECT_EQ(item.request.body, R"({"p":"hi"})");
  EXPECT_EQ(item.request_hash, provider_.request_hash(item.request));
  EXPECT_EQ(item.place.line, 2U);
  EXPECT_EQ(item.place.offset_bytes, 1U);
  EXPECT_EQ(item.place.length_bytes, 36U);
  EXPECT_TRUE(item.own_model);
  EXPECT_EQ(item.attempts, 0U);
  EXPECT_EQ(item.input_text, R"({"id":"a","prompt":"hi","model":"m"})");
}

TEST_F(FileItemSourceTest, StartsInTheMiddleAndLeavesOutWhatIsDone) {
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{27 * 4}}) {
    FileItemSourceOptions options;
    options.start_line = 5;
    options.start_offset_bytes = offset;
    options.done_lines = {6, 7, 9};
    auto source = open(ten_lines(), {{1, 10, LineKind::todo, 1}}, options);
    ASSERT_TRUE(source.has_value());
    EXPECT_EQ(read_all(**source), (std::vector<std::string>{"t-4 5", "t-7 8", "t-9 10"}));
  }
}

TEST_F(FileItemSourceTest, NoticesThatTheInputChanged) {
  auto shorter = open(ten_lines(), {{1, 10, LineKind::done, 1}, {11, 1, LineKind::todo, 11}});
  ASSERT_TRUE(shorter.has_value());
  const std::string path = directory_.path() + "/in.jsonl";
  EXPECT_EQ(read_all(**shorter),
            (std::vector<std::string>{"error: " + path +
                                      " changed while the run was reading it (line 11)"}));
  auto broken = open("{\"id\":\"a\"\n", {{1, 1, LineKind::todo, 1}});
  ASSERT_TRUE(broken.has_value());
  EXPECT_EQ(read_all(**broken),
            (std::vector<std::string>{"error: " + path +
                                      " changed while the run was reading it (line 1)"}));
}

TEST_F(FileItemSourceTest, NoticesALineThatWasInsertedDuringTheRun) {
  const std::string path = directory_.file("in.jsonl", ten_lines());
  const auto identity = identify_input(path);
  ASSERT_TRUE(identity.has_value());
  auto source = open(ten_lines(), {{1, 10, LineKind::todo, 0}}, {.identity = *identity});
  ASSERT_TRUE(source.has_value());
  Item item;
  // The file is written again by open(); its content is the same, so that nothing has changed.
  ASSERT_TRUE((*source)->next(item).value_or(false));
  std::ofstream(path) << R"({"id":"new","prompt":"first"})"
                      << "\n"
                      << ten_lines();
  const auto next = (*source)->next(item);
  ASSERT_FALSE(next.has_value());
  EXPECT_NE(next.error().message.find("changed while the run was reading it"), std::string::npos);
}

TEST_F(FileItemSourceTest, AppendedLinesAreLeftToTheNextRun) {
  const std::string path = directory_.file("in.jsonl", ten_lines());
  const auto identity = identify_input(path);
  ASSERT_TRUE(identity.has_value());
  auto source = open(ten_lines(), {{1, 10, LineKind::todo, 0}}, {.identity = *identity});
  ASSERT_TRUE(source.has_value());
  std::ofstream(path, std::ios::app) << R"({"id":"t-10","prompt":"hi"})"
                                     << "\n";
  const auto items = read_all(**source);
  ASSERT_EQ(items.size(), 10u);
  EXPECT_EQ(items.back(), "t-9 9");
}

}  // namespace
}  // namespace llmbatch
