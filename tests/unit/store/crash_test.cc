// kill -9 in the middle of commits: what commit() returned is there afterwards, whole.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "store_fixture.h"

namespace llmbatch::store_test {
namespace {

class Crash : public StoreTest {
 protected:
  /// Commits groups of items until it is killed; reports each returned commit's last seq.
  [[noreturn]] void commit_for_ever(std::uint64_t seq, int report) const {
    auto store = Store::open(path_, "llmbatch run", kNow);
    if (!store) _exit(1);
    begin(**store, {{1, 1'000'000, LineKind::todo, 1}});
    RunProgress progress;
    for (;;) {
      std::vector<ItemUpdate> updates;
      for (std::uint64_t i = 0; i < 1 + seq % 40; ++i, ++seq) {
        updates.push_back(succeeded(seq, "t-" + std::to_string(seq), "x"));
      }
      progress.done_below_line = seq;
      if (!(*store)->commit(updates, progress)) _exit(1);
      const std::uint64_t last = seq - 1;
      if (write(report, &last, sizeof last) != sizeof last) _exit(1);
    }
  }

  /// The last seq that a child reported before it was killed `microseconds` after its first report.
  std::uint64_t run_and_kill(std::uint64_t first_seq, useconds_t microseconds) const {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    const pid_t child = fork();
    if (child == 0) commit_for_ever(first_seq, ends[1]);
    close(ends[1]);
    std::uint64_t last = 0;
    EXPECT_EQ(read(ends[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
    usleep(microseconds);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    for (std::uint64_t next = 0; read(ends[0], &next, sizeof next) == sizeof next;) last = next;
    close(ends[0]);
    return last;
  }
};

TEST_F(Crash, NoCommittedResultIsLostAndNoneIsHalfThere) {
  std::uint64_t next_seq = 1;
  for (useconds_t round = 0; round < 8; ++round) {
    const std::uint64_t reported = run_and_kill(next_seq, 1000 + 3700 * round);
    auto source = reader();
    const std::uint64_t stored = source->index().next_seq() - 1;
    EXPECT_GE(stored, reported);
    EXPECT_EQ((*source->last_input())->done_below_line, stored + 1);
    EXPECT_EQ(*source->done_lines_from(1), [&] {
      std::vector<std::uint64_t> all(stored);
      for (std::uint64_t i = 0; i < stored; ++i) all[i] = i + 1;
      return all;
    }());
    EXPECT_EQ(index_records().size(), stored);
    EXPECT_EQ(source->totals()->attempts, static_cast<std::int64_t>(stored));
    EXPECT_EQ(**source->response(static_cast<std::int64_t>(stored)), "{\"output\":\"x\"}");
    next_seq = stored + 1;
  }
  EXPECT_EQ(sql("pragma integrity_check"), std::vector<std::string>{"ok"});
  EXPECT_EQ(sql("select count(*) from items, attempts on last_attempt = attempts.id"
                " and items.seq = attempts.seq"),
            std::vector<std::string>{std::to_string(next_seq - 1)});
}

}  // namespace
}  // namespace llmbatch::store_test
