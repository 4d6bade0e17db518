// Opening: locks, versions, foreign files, read-only places.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>

#include "../../../src/store/schema.h"
#include "store_fixture.h"

namespace llmbatch::store_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// Runs `body` in a child process and returns what it wrote.
std::string in_child(const std::function<std::string()>& body) {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe(ends.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    const std::string answer = body();
    static_cast<void>(!write(ends[1], answer.data(), answer.size()));
    _exit(0);
  }
  close(ends[1]);
  std::string answer;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = read(ends[0], buffer.data(), buffer.size())) > 0;) {
    answer.append(buffer.data(), static_cast<std::size_t>(got));
  }
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return answer;
}

template <typename Value>
std::string describe(const Result<Value>& result) {
  if (result) return "ok";
  return std::to_string(static_cast<int>(result.error().kind)) + " " + result.error().message;
}

class Opening : public StoreTest {
 protected:
  void make_database() const {
    auto store = open();
    begin(*store, {{1, 1, LineKind::todo, 1}});
    commit(*store, {succeeded(1, "a", "x")});
  }
};

TEST_F(Opening, SecondProcessIsToldWhoHoldsTheDatabase) {
  auto store = open();
  const std::string answer =
      in_child([&] { return describe(Store::open(path_, "llmbatch batches", kNow)); });
  EXPECT_EQ(answer, "2 " + path_ + " is in use by process " + std::to_string(getpid()) +
                        " (llmbatch run, since " + format_rfc3339(kNow) + ")");
  store.reset();
  EXPECT_EQ(in_child([&] { return describe(Store::open(path_, "llmbatch run", kNow)); }), "ok");
}

TEST_F(Opening, AnotherNameOfTheDatabaseHasTheSameLock) {
  auto store = open();
  const std::string link = directory_ + "/link.db";
  std::filesystem::create_symlink(path_, link);
  EXPECT_THAT(describe(Store::open(link, "llmbatch run", kNow)), HasSubstr("is in use by process"));
}

TEST_F(Opening, LockOfAKilledProcessDoesNotStay) {
  in_child([&] {
    auto store = Store::open(path_, "llmbatch run", kNow);
    kill(getpid(), SIGKILL);
    return std::string();
  });
  EXPECT_TRUE(std::filesystem::exists(path_ + ".lock"));
  EXPECT_NE(open(), nullptr);
}

TEST_F(Opening, ReadersNeedNoLockAndSeeEveryCommit) {
  auto store = open();
  auto early = reader();
  begin(*store, {{1, 2, LineKind::todo, 1}});
  commit(*store, {succeeded(1, "a", "x")});
  EXPECT_EQ(*early->attempts_of(1), 1U);
  EXPECT_EQ(in_child([&] {
              auto other = StoreReader::open(path_);
              return other ? std::to_string(*(*other)->attempts_of(1)) : other.error().message;
            }),
            "1");
  commit(*store, {succeeded(2, "b", "x")});
  EXPECT_EQ(*early->attempts_of(2), 1U);
}

TEST_F(Opening, ReaderDoesNotCreateADatabase) {
  const auto missing = StoreReader::open(path_);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().kind, ErrorKind::usage);
  EXPECT_THAT(missing.error().message, StartsWith(path_ + ": no such file"));
  EXPECT_THAT(directory_entries(), ElementsAre());
}

TEST_F(Opening, NewerVersionIsRefusedAndNotChanged) {
  make_database();
  sql("pragma user_version = 7");
  const std::string before = file_bytes();
  const auto writer = Store::open(path_, "llmbatch run", kNow);
  ASSERT_FALSE(writer.has_value());
  EXPECT_EQ(writer.error().kind, ErrorKind::mismatch);
  EXPECT_EQ(writer.error().message,
            path_ + ": was written by a newer llmbatch (schema 7, this one knows 2)");
  EXPECT_EQ(StoreReader::open(path_).error().message, writer.error().message);
  EXPECT_EQ(file_bytes(), before);
  EXPECT_THAT(directory_entries(), ElementsAre("t.db"));
}

TEST_F(Opening, ForeignFilesAreRefusedAndNotChanged) {
  std::ofstream(path_) << "this is no database, but long enough to look at, at least a bit";
  std::string before = file_bytes();
  EXPECT_THAT(describe(Store::open(path_, "llmbatch run", kNow)),
              StartsWith("1 " + path_ + ": not an llmbatch database"));
  EXPECT_THAT(describe(StoreReader::open(path_)),
              StartsWith("1 " + path_ + ": not an llmbatch database"));
  EXPECT_EQ(file_bytes(), before);

  std::filesystem::remove(path_);
  sql("create table t (x); pragma application_id = 5");
  before = file_bytes();
  EXPECT_EQ(describe(Store::open(path_, "llmbatch run", kNow)),
            "1 " + path_ + ": not an llmbatch database (application id 5)");
  EXPECT_EQ(file_bytes(), before);
}

TEST_F(Opening, EmptyFileBecomesADatabase) {
  std::ofstream(path_).flush();
  EXPECT_NE(open(), nullptr);
  EXPECT_EQ(*reader()->last_run_number(), 0);
}

TEST_F(Opening, OlderVersionIsMigratedInOneTransaction) {
  make_database();
  sql("pragma user_version = 0");
  auto connection = Connection::open(path_, Connection::Access::read_write);
  const std::array<Migration, 2> steps{
      Migration{0, "create table extra (x); insert into extra values (5)"},
      Migration{1, "alter table extra add column y"}};
  ASSERT_TRUE(migrate(**connection, steps, 2).has_value());
  EXPECT_EQ(*(*connection)->query_integer("pragma user_version"), 2);
  EXPECT_EQ(*(*connection)->query_integer("select x from extra where y is null"), 5);
  EXPECT_EQ(*(*connection)->query_integer("select count(*) from results"), 1);
}

TEST_F(Opening, FailedMigrationChangesNothing) {
  make_database();
  sql("pragma user_version = 0");
  auto connection = Connection::open(path_, Connection::Access::read_write);
  const std::array<Migration, 2> steps{Migration{0, "create table extra (x)"},
                                       Migration{1, "alter table nothing add column y"}};
  EXPECT_FALSE(migrate(**connection, steps, 2).has_value());
  EXPECT_EQ(*(*connection)->query_integer("pragma user_version"), 0);
  EXPECT_EQ(
      *(*connection)->query_integer("select count(*) from sqlite_schema where name = 'extra'"), 0);
  EXPECT_THAT(describe(migrate(**connection, {}, 1)), HasSubstr("no way from schema 0 to 1"));
}

TEST_F(Opening, ReaderLeavesMigrationToTheNextRun) {
  make_database();
  sql("pragma user_version = 0");
  const auto old = StoreReader::open(path_);
  ASSERT_FALSE(old.has_value());
  EXPECT_EQ(old.error().kind, ErrorKind::mismatch);
}

TEST_F(Opening, ReadOnlyDirectoryIsReadableButNotWritable) {
  make_database();
  std::filesystem::permissions(path_, std::filesystem::perms(0444));
  std::filesystem::permissions(directory_, std::filesystem::perms(0555));
  const auto as_nobody = [](const std::function<std::string()>& body) {
    return in_child([&]() -> std::string {
      if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return "setuid failed";
      return body();
    });
  };
  EXPECT_EQ(as_nobody([&] {
              auto other = StoreReader::open(path_);
              return other ? std::to_string(*(*other)->attempts_of(1)) : other.error().message;
            }),
            "1");
  EXPECT_EQ(as_nobody([&] { return describe(Store::open(path_, "llmbatch run", kNow)); }),
            "1 " + path_ + ".lock: could not create the lock file (permission denied)");
  std::filesystem::permissions(directory_, std::filesystem::perms(0777));
  EXPECT_THAT(as_nobody([&] { return describe(Store::open(path_, "llmbatch run", kNow)); }),
              StartsWith("1 " + path_ + ": not writable"));
}

TEST_F(Opening, ReaderOfADirectoryOrMissingFolderSaysSo) {
  EXPECT_THAT(describe(StoreReader::open(directory_)), StartsWith("1 " + directory_ + ": "));
  EXPECT_THAT(describe(Store::open(directory_ + "/no/t.db", "llmbatch run", kNow)),
              HasSubstr("no such file or directory"));
}

}  // namespace
}  // namespace llmbatch::store_test
