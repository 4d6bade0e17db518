#include "llmbatch/input/input_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#include <thread>

#include "llmbatch/input/line_reader.h"
#include "unit/input/fake_provider.h"

namespace llmbatch {
namespace {

using testing::TemporaryDirectory;

std::string gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

Result<std::string> read_all(ByteSource& source, std::size_t piece = 1000) {
  std::string all;
  std::string buffer(piece, '\0');
  for (;;) {
    auto count = source.read(buffer.data(), buffer.size());
    if (!count) return forward_error(count);
    if (*count == 0) return all;
    all.append(buffer, 0, *count);
  }
}

Result<std::string> read_file_bytes(const TemporaryDirectory& directory, const std::string& bytes) {
  auto input = InputFile::open(directory.file("f", bytes), directory.path());
  if (!input) return forward_error(input);
  auto source = input->bytes();
  if (!source) return forward_error(source);
  return read_all(**source);
}

std::string long_text() {
  std::string text;
  for (int i = 0; i < 40'000; ++i) text += "line " + std::to_string(i * 7919 % 10'007) + "\n";
  return text;
}

TEST(InputFile, ReadsPlainGzipAndZstdAlike) {
  const TemporaryDirectory directory;
  const std::string text = long_text();
  EXPECT_EQ(read_file_bytes(directory, text).value(), text);
  EXPECT_EQ(read_file_bytes(directory, gzip(text)).value(), text);
  EXPECT_EQ(read_file_bytes(directory, zstd(text)).value(), text);
  EXPECT_EQ(read_file_bytes(directory, "").value(), "");
}

TEST(InputFile, ReadsConcatenatedMembersAndFrames) {
  const TemporaryDirectory directory;
  const std::string zeros(100, '\0');
  EXPECT_EQ(read_file_bytes(directory, gzip("a\n") + gzip("") + gzip("b\n") + zeros).value(),
            "a\nb\n");
  EXPECT_EQ(read_file_bytes(directory, zstd("a\n") + zstd("") + zstd("b\n")).value(), "a\nb\n");
}

TEST(InputFile, SaysWhenCompressedDataIsDamaged) {
  const TemporaryDirectory directory;
  for (const std::string& whole : {gzip(long_text()), zstd(long_text())}) {
    for (const std::size_t cut : {whole.size() - 1, whole.size() / 2, std::size_t{6}}) {
      auto read = read_file_bytes(directory, whole.substr(0, cut));
      ASSERT_FALSE(read.has_value()) << cut;
      EXPECT_EQ(read.error().kind, ErrorKind::usage);
      EXPECT_NE(read.error().message.find("the file ends early"), std::string::npos)
          << read.error().message;
    }
    std::string flipped = whole;
    flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 0x55);
    EXPECT_FALSE(read_file_bytes(directory, flipped).has_value());
    EXPECT_FALSE(read_file_bytes(directory, whole + "garbage").has_value());
  }
}

TEST(InputFile, CompressedSourcesSeekByReadingOn) {
  const TemporaryDirectory directory;
  const std::string text = long_text();
  for (const std::string& bytes : {gzip(text), zstd(text), text}) {
    auto input = InputFile::open(directory.file("f", bytes), directory.path());
    ASSERT_TRUE(input.has_value());
    auto source = input->bytes();
    ASSERT_TRUE(source.has_value());
    ASSERT_TRUE((*source)->seek(200'001).has_value());
    EXPECT_EQ(read_all(**source).value(), text.substr(200'001));
    ASSERT_TRUE((*source)->seek(3).has_value());
    EXPECT_EQ(read_all(**source, 70'000).value(), text.substr(3));
    EXPECT_EQ(input->compressed(), bytes != text);
  }
}

TEST(InputFile, ErrorsNameThePath) {
  const TemporaryDirectory directory;
  auto missing = InputFile::open(directory.path() + "/nothing.jsonl", directory.path());
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().kind, ErrorKind::usage);
  EXPECT_NE(missing.error().message.find("nothing.jsonl"), std::string::npos);
  auto folder = InputFile::open(directory.path(), directory.path());
  ASSERT_FALSE(folder.has_value());
  EXPECT_NE(folder.error().message.find("is a directory"), std::string::npos);
}

TEST(InputFile, PipesAreSpooledAndCanBeReadTwice) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const std::string text = long_text();
  std::thread writer([&] { std::ofstream(path) << text; });
  auto input = InputFile::open(path, directory.path());
  writer.join();
  ASSERT_TRUE(input.has_value());
  EXPECT_TRUE(input->spooled());
  EXPECT_EQ(input->size_bytes(), text.size());
  EXPECT_EQ(read_all(*input->bytes().value()).value(), text);
  EXPECT_EQ(read_all(*input->bytes().value()).value(), text);
  EXPECT_EQ(input->identity().value().path, "-");
}

TEST(InputFile, IdentityChangesWithTheContent) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("f", "one\n");
  const auto first = identify_input(path).value();
  EXPECT_EQ(identify_input(path).value(), first);
  EXPECT_EQ(first.size_bytes, 4U);
  EXPECT_TRUE(first.path.starts_with("/"));
  std::ofstream(path, std::ios::in | std::ios::out) << "two\n";
  const auto second = identify_input(path).value();
  EXPECT_NE(second.ends, first.ends);
  EXPECT_EQ(second.inode, first.inode);
}

TEST(InputFile, FetchesOneLineAndNoticesThatItMoved) {
  const TemporaryDirectory directory;
  const std::string text = "first\nsecond\r\nthird";
  auto input = InputFile::open(directory.file("f", text), directory.path());
  ASSERT_TRUE(input.has_value());
  EXPECT_EQ(input->fetch({1, 0, 5}).value(), "first");
  EXPECT_EQ(input->fetch({2, 6, 6}).value(), "second");
  EXPECT_EQ(input->fetch({3, 14, 5}).value(), "third");
  EXPECT_FALSE(input->fetch({2, 5, 6}).has_value());
  EXPECT_FALSE(input->fetch({2, 7, 6}).has_value());
  EXPECT_FALSE(input->fetch({3, 14, 9}).has_value());
}

}  // namespace
}  // namespace llmbatch
