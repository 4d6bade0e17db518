#include "llmbatch/base/fd.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace llmbatch {
namespace {

using testing::HasSubstr;

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

class FileTest : public testing::Test {
 protected:
  FileTest() {
    std::string name = testing::TempDir() + "llmbatch-XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  ~FileTest() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  std::string directory_;
};

int open_null() { return ::open("/dev/null", O_RDWR | O_CLOEXEC); }

TEST(UniqueFd, ClosesAtTheEnd) {
  const int raw = open_null();
  {
    const UniqueFd fd(raw);
    EXPECT_TRUE(fd.valid());
    EXPECT_TRUE(is_open(raw));
  }
  EXPECT_FALSE(is_open(raw));
}

TEST(UniqueFd, MovingHandsTheDescriptorOn) {
  UniqueFd first(open_null());
  const int raw = first.get();
  UniqueFd second(std::move(first));
  EXPECT_EQ(second.get(), raw);
  UniqueFd third(open_null());
  const int replaced = third.get();
  third = std::move(second);
  EXPECT_EQ(third.get(), raw);
  EXPECT_FALSE(is_open(replaced));
  EXPECT_TRUE(is_open(raw));
}

TEST(UniqueFd, ReleaseLeavesItOpen) {
  UniqueFd fd(open_null());
  const int raw = fd.release();
  EXPECT_FALSE(fd.valid());
  EXPECT_TRUE(is_open(raw));
  ::close(raw);
}

TEST(ErrnoText, StartsInLowerCase) {
  EXPECT_EQ(errno_text(ENOENT), "no such file or directory");
  EXPECT_EQ(errno_text(EIO), "input/output error");
}

TEST_F(FileTest, MissingFileIsAUsageErrorThatNamesIt) {
  const auto fd = open_for_reading(path("none"));
  ASSERT_FALSE(fd.has_value());
  EXPECT_EQ(fd.error().message, path("none") + ": cannot open: no such file or directory");
  EXPECT_EQ(fd.error().kind, ErrorKind::usage);
}

TEST_F(FileTest, DirectoryIsNotReadable) {
  const auto fd = open_for_reading(directory_);
  ASSERT_FALSE(fd.has_value());
  EXPECT_THAT(fd.error().message, HasSubstr("is a directory"));
}

TEST_F(FileTest, TemporaryFileHasNoName) {
  const auto fd = open_temporary_file(directory_);
  ASSERT_TRUE(fd.has_value());
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
  ASSERT_TRUE(pwrite_all(fd->get(), "hello world", 0).has_value());
  ASSERT_TRUE(pwrite_all(fd->get(), "W", 6).has_value());
  std::string buffer(32, '\0');
  EXPECT_EQ(pread_all(fd->get(), buffer.data(), 5, 6).value(), 5U);
  EXPECT_EQ(buffer.substr(0, 5), "World");
  EXPECT_EQ(pread_all(fd->get(), buffer.data(), buffer.size(), 8).value(), 3U);
  EXPECT_EQ(pread_all(fd->get(), buffer.data(), buffer.size(), 100).value(), 0U);
}

TEST_F(FileTest, TemporaryFileNeedsItsDirectory) {
  EXPECT_FALSE(open_temporary_file(path("none")).has_value());
}

TEST_F(FileTest, FailedReadsAndWritesSayWhy) {
  char byte = 0;
  EXPECT_EQ(pread_all(-1, &byte, 1, 0).error().message, "cannot read: bad file descriptor");
  EXPECT_EQ(write_all(-1, "x").error().message, "cannot write: bad file descriptor");
  EXPECT_EQ(pwrite_all(-1, "x", 0).error().message, "cannot write: bad file descriptor");
}

TEST_F(FileTest, WriteAllWaitsForASlowReader) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  ASSERT_TRUE(write_all(writer.get(), "through the pipe").has_value());
  writer.reset();
  std::string buffer(64, '\0');
  const ssize_t count = ::read(reader.get(), buffer.data(), buffer.size());
  EXPECT_EQ(buffer.substr(0, static_cast<std::size_t>(count)), "through the pipe");
}

TEST_F(FileTest, WhatIsWrittenIsRead) {
  const std::string content(200'000, 'x');
  ASSERT_TRUE(write_file_atomically(path("a"), content).has_value());
  EXPECT_EQ(read_file(path("a"), content.size()).value(), content);
}

TEST_F(FileTest, ReadingStopsAtTheLimit) {
  ASSERT_TRUE(write_file_atomically(path("a"), "12345").has_value());
  EXPECT_EQ(read_file(path("a"), 5).value(), "12345");
  const auto content = read_file(path("a"), 4);
  ASSERT_FALSE(content.has_value());
  EXPECT_EQ(content.error().message, path("a") + ": too large (more than 4 bytes)");
}

TEST_F(FileTest, AtomicWriteReplacesAndLeavesNothingBeside) {
  ASSERT_TRUE(write_file_atomically(path("a"), "old").has_value());
  ASSERT_EQ(::chmod(path("a").c_str(), 0600), 0);
  ASSERT_TRUE(write_file_atomically(path("a"), "new").has_value());
  EXPECT_EQ(read_file(path("a"), 100).value(), "new");
  EXPECT_EQ(std::filesystem::status(path("a")).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const std::filesystem::directory_iterator files(directory_);
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST_F(FileTest, FailedAtomicWriteNamesThePath) {
  const Status written = write_file_atomically(path("none/a"), "x");
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().message, path("none/a") + ": cannot create: no such file or directory");
}

TEST_F(FileTest, DevicesAreWrittenToAndNotReplaced) {
  const std::string link = path("null");
  std::filesystem::create_symlink("/dev/null", link);
  ASSERT_TRUE(write_file_atomically(link, "x").has_value());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
}

}  // namespace
}  // namespace llmbatch
