#include "llmbatch/input/line_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

namespace llmbatch {
namespace {

/// Hands out a string in pieces of random size.
class StringSource final : public ByteSource {
 public:
  StringSource(std::string text, unsigned seed) : text_(std::move(text)), random_(seed) {}
  Result<std::size_t> read(char* buffer, std::size_t size) override {
    const std::size_t left = text_.size() - position_;
    if (left == 0) return std::size_t{0};
    const std::size_t count = std::min({left, size, std::size_t{1} + random_() % 50});
    std::memcpy(buffer, text_.data() + position_, count);
    position_ += count;
    return count;
  }
  bool seekable() const override { return true; }
  Status seek(std::uint64_t offset) override {
    position_ = offset;
    return {};
  }
  std::uint64_t consumed_bytes() const override { return position_; }

 private:
  std::string text_;
  std::mt19937 random_;
  std::size_t position_ = 0;
};

struct OwnedLine {
  std::string text;
  std::uint64_t number;
  std::uint64_t offset;
  friend bool operator==(const OwnedLine&, const OwnedLine&) = default;
};

std::vector<OwnedLine> read_all(LineReader& reader) {
  std::vector<OwnedLine> lines;
  Line line;
  for (;;) {
    auto more = reader.next(line);
    EXPECT_TRUE(more.has_value());
    if (!more || !*more) return lines;
    lines.push_back({std::string(line.text), line.number, line.offset_bytes});
  }
}

std::vector<OwnedLine> naive_split(const std::string& text) {
  std::vector<OwnedLine> lines;
  std::size_t start = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    std::string line = text.substr(start, end - start);
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back({line, lines.size() + 1, start});
    start = end + 1;
  }
  return lines;
}

std::unique_ptr<ByteSource> source(const std::string& text, unsigned seed = 1) {
  return std::make_unique<StringSource>(text, seed);
}

std::string random_text(std::mt19937& random) {
  std::string text = random() % 3 == 0 ? "\xef\xbb\xbf" : "";
  const std::size_t pieces = random() % 60;
  for (std::size_t i = 0; i < pieces; ++i) {
    switch (random() % 6) {
      case 0:
        text += "\n";
        break;
      case 1:
        text += "\r\n";
        break;
      case 2:
        text += std::string(random() % 300, 'x');
        break;
      case 3:
        text += "\r";
        break;
      default:
        text += std::string(random() % 9, 'a') + "\n";
        break;
    }
  }
  return text;
}

TEST(LineReader, EqualsNaiveSplitForAnyChunkSize) {
  std::mt19937 random(7);
  for (unsigned round = 0; round < 400; ++round) {
    const std::string text = random_text(random);
    LineReader reader(source(text, round), 1 + random() % 90);
    EXPECT_EQ(read_all(reader), naive_split(text)) << "round " << round;
  }
}

TEST(LineReader, SkipPassesOverAsManyLinesAsNextWouldRead) {
  std::mt19937 random(8);
  for (unsigned round = 0; round < 300; ++round) {
    const std::string text = random_text(random);
    auto expected = naive_split(text);
    LineReader reader(source(text, round), 1 + random() % 90);
    const std::size_t count = random() % 70;
    auto skipped = reader.skip(count);
    ASSERT_TRUE(skipped.has_value());
    EXPECT_EQ(*skipped, std::min(count, expected.size()));
    expected.erase(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(*skipped));
    EXPECT_EQ(read_all(reader), expected) << "round " << round;
  }
}

TEST(LineReader, SeekContinuesWithTheGivenNumber) {
  LineReader reader(source("first\nsecond\nthird"), 4);
  ASSERT_TRUE(reader.seek(6, 2).has_value());
  EXPECT_EQ(read_all(reader), (std::vector<OwnedLine>{{"second", 2, 6}, {"third", 3, 13}}));
}

TEST(LineReader, TooLongLinesAreFlaggedAndTheNextOneIsRead) {
  const std::string text = "a\n" + std::string(500, 'b') + "\nc\n";
  LineReader reader(source(text), 16, 100);
  Line line;
  ASSERT_TRUE(*reader.next(line));
  EXPECT_FALSE(line.overlong);
  ASSERT_TRUE(*reader.next(line));
  EXPECT_TRUE(line.overlong);
  EXPECT_EQ(line.number, 2U);
  ASSERT_TRUE(*reader.next(line));
  EXPECT_EQ(line.text, "c");
  EXPECT_EQ(line.number, 3U);
  EXPECT_EQ(line.offset_bytes, 503U);
  EXPECT_FALSE(*reader.next(line));
}

TEST(ChunkReader, GivesTheRoomOfALongLineBack) {
  ChunkReader chunks(source(std::string(20'000, 'x') + "\n" + std::string(60'000, '\n')), 64);
  Chunk chunk;
  ASSERT_TRUE(*chunks.next(chunk));
  EXPECT_GE(chunk.buffer.size(), 20'001 + kLinePaddingBytes);
  ASSERT_TRUE(*chunks.next(chunk));
  EXPECT_LT(chunk.buffer.size(), 1024U);
}

TEST(LineReader, NothingIsNoLineAndSoIsAByteOrderMark) {
  LineReader nothing(source(""));
  EXPECT_TRUE(read_all(nothing).empty());
  LineReader mark(source("\xef\xbb\xbf"));
  EXPECT_TRUE(read_all(mark).empty());
}

TEST(IsBlank, TakesSpacesTabsAndCarriageReturns) {
  EXPECT_TRUE(is_blank(" \t\r"));
  EXPECT_TRUE(is_blank(""));
  EXPECT_FALSE(is_blank(" x"));
}

}  // namespace
}  // namespace llmbatch
