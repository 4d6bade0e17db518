#include "llmbatch/base/log.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "llmbatch/base/fd.h"

namespace llmbatch {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

class LogTest : public testing::Test {
 protected:
  LogTest() {
    std::string name = testing::TempDir() + "llmbatch-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    path_ = directory_ + "/log";
  }
  ~LogTest() override { std::filesystem::remove_all(directory_); }

  std::string content() const { return read_file(path_, 100'000).value(); }

  std::string directory_;
  std::string path_;
};

TEST_F(LogTest, SilentWithoutAFile) {
  Log().info("nobody listens");
  const auto log = Log::open("", false);
  ASSERT_TRUE(log.has_value());
  log->error("nobody listens");
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST_F(LogTest, TextLinesCarryTimeAndLevel) {
  const auto log = Log::open(path_, false);
  ASSERT_TRUE(log.has_value());
  log->info("run 1 began");
  log->warn("two\nlines {} \x1b[2J");
  log->error("stopped");
  EXPECT_THAT(content(),
              MatchesRegex("20..-..-..T..:..:..\\....Z info: run 1 began\n"
                           "20..-..-..T..:..:..\\....Z warning: two lines \\{\\} .*\\[2J\n"
                           "20..-..-..T..:..:..\\....Z error: stopped\n"));
}

TEST_F(LogTest, JsonLinesAreObjects) {
  const auto log = Log::open(path_, true);
  ASSERT_TRUE(log.has_value());
  log->warn("say \"hi\"\n%v");
  const std::string line = content();
  EXPECT_THAT(line, HasSubstr(R"({"time":"20)"));
  EXPECT_THAT(line, HasSubstr(R"(Z","level":"warning","message":"say \"hi\"\n%v"})"));
}

TEST_F(LogTest, AppendsToWhatIsThere) {
  ASSERT_TRUE(write_file_atomically(path_, "before\n").has_value());
  const auto log = Log::open(path_, false);
  ASSERT_TRUE(log.has_value());
  log->info("after");
  EXPECT_THAT(content(), MatchesRegex("before\n.* info: after\n"));
}

TEST_F(LogTest, UnwritablePathIsAUsageError) {
  const auto log = Log::open(directory_ + "/none/log", false);
  ASSERT_FALSE(log.has_value());
  EXPECT_EQ(log.error().message,
            directory_ + "/none/log: cannot open for writing: no such file or directory");
  EXPECT_EQ(log.error().kind, ErrorKind::usage);
}

}  // namespace
}  // namespace llmbatch
