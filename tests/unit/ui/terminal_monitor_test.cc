#include "llmbatch/ui/terminal_monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "screen.h"
#include "ui_fixture.h"

namespace llmbatch {
namespace {

using test::PseudoTerminal;
using test::Screen;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr TerminalTraits kPlain{.live = true, .color = false, .unicode = false};
constexpr TerminalTraits kFull{.live = true, .color = true, .unicode = true};

TEST(TerminalMonitor, RedrawsInPlace) {
  PseudoTerminal terminal(80);
  test::ManualClock clock;
  Screen screen(80);
  TerminalMonitor monitor(terminal.program.get(), kPlain, clock);
  auto status = test::run_in_progress();
  status.eta_seconds = 90;
  monitor.run_started(status);
  for (int i = 0; i < 30; ++i) {
    clock.advance(std::chrono::milliseconds(100));
    status.items[ItemState::succeeded] += 1;
    monitor.progress(status);
  }
  screen.feed(terminal.read());
  EXPECT_THAT(
      screen.lines(),
      ElementsAre("llmbatch: tickets.jsonl with gpt-4o-mini: 50,000 items",
                  "[####################.......................]  47.7 %  23,877/50,030  ETA 1m30s",
                  "23,862 succeeded  3 filtered  12 failed  64 in flight  errors 0.5 %",
                  "481 req/min  337k tokens/min  $107.31 so far  about $225.00 in all",
                  "sending, up to 64 at a time  (Ctrl-C stops cleanly)"));
  EXPECT_FALSE(screen.wrapped());
  EXPECT_THAT(screen.unknown_escapes(), IsEmpty());
}

TEST(TerminalMonitor, WhileOnlyBatchesAreOpenNothingIsSentAndNoEndIsForetold) {
  const test::ScopedVariable zone("TZ", "UTC");
  tzset();
  PseudoTerminal terminal(80);
  test::ManualClock clock;
  Screen screen(80);
  TerminalMonitor monitor(terminal.program.get(), kPlain, clock);
  RunStatus status;
  status.items[ItemState::submitted] = 10000;
  status.concurrency = 8;
  status.batches.resize(2);
  status.batches[0].requests = 9000;
  status.batches[0].done = 4210;
  status.batches[0].expires_at = clock.wall_now() + std::chrono::hours(19);
  status.batches[1].requests = 1000;
  status.batches[1].expires_at = clock.wall_now() + std::chrono::hours(2);
  monitor.progress(status);
  clock.advance(std::chrono::minutes(10));
  monitor.progress(status);
  screen.feed(terminal.read());
  EXPECT_THAT(
      screen.lines(),
      ElementsAre("[................................................]  0.0 %  0/10,000",
                  "0 succeeded  in batches 4,210/10,000", "",
                  "2 provider batches open, the last expires 21:14  (Ctrl-C leaves them running)"));
  status.interrupt_cancels = true;
  clock.advance(std::chrono::seconds(1));
  monitor.progress(status);
  screen.feed(terminal.read());
  EXPECT_EQ(screen.lines().back(),
            "2 provider batches open, the last expires 21:14  (Ctrl-C cancels them)");
}

TEST(TerminalMonitor, DrawsAtMostTenTimesASecond) {
  PseudoTerminal terminal;
  test::ManualClock clock;
  TerminalMonitor monitor(terminal.program.get(), kPlain, clock);
  auto status = test::run_in_progress();
  monitor.run_started(status);
  terminal.read();
  for (int i = 0; i < 99; ++i) {
    clock.advance(std::chrono::milliseconds(1));
    monitor.progress(status);
  }
  EXPECT_EQ(terminal.read(), "");
  clock.advance(std::chrono::milliseconds(1));
  monitor.progress(status);
  EXPECT_NE(terminal.read(), "");
}

TEST(TerminalMonitor, MessagesStayAboveTheDisplay) {
  PseudoTerminal terminal(80);
  test::ManualClock clock;
  Screen screen(80);
  TerminalMonitor monitor(terminal.program.get(), kFull, clock);
  const auto status = test::run_in_progress();
  monitor.run_started(status);
  monitor.message("warning: 12 requests were repeated");
  clock.advance(std::chrono::seconds(1));
  monitor.progress(status);
  monitor.message("second");
  screen.feed(terminal.read());
  const auto lines = screen.lines();
  ASSERT_THAT(lines, SizeIs(7));
  EXPECT_EQ(lines[1], "llmbatch: warning: 12 requests were repeated");
  EXPECT_EQ(lines[2], "llmbatch: second");
  EXPECT_THAT(lines[3], HasSubstr("47.7 %"));
}

TEST(TerminalMonitor, LongMessagesAreNotCut) {
  PseudoTerminal terminal(40);
  test::ManualClock clock;
  TerminalMonitor monitor(terminal.program.get(), kPlain, clock);
  const auto status = test::run_in_progress();
  monitor.run_started(status);
  Screen screen(40);
  screen.feed(terminal.read());
  EXPECT_FALSE(screen.wrapped() && screen.lines().size() < 5);
  monitor.message("start " + std::string(100, 'x') + " end");
  screen.feed(terminal.read());
  std::string all;
  for (const auto& line : screen.lines()) all += line;
  EXPECT_THAT(all, HasSubstr(std::string(100, 'x')));
  EXPECT_THAT(all, HasSubstr(" end"));
  EXPECT_THAT(all, HasSubstr("47.7 %"));
}

TEST(TerminalMonitor, NeverWrapsAtAnyWidth) {
  for (const bool unicode : {false, true}) {
    for (unsigned short columns = 10; columns < 130; ++columns) {
      PseudoTerminal terminal(columns);
      test::ManualClock clock;
      auto status = test::run_in_progress();
      status.waiting_for = "retry-after, 40 s, for 東京 and a text that is rather long";
      TerminalMonitor monitor(terminal.program.get(),
                              {.live = true, .color = true, .unicode = unicode}, clock);
      monitor.progress(status);
      Screen screen(columns);
      screen.feed(terminal.read());
      EXPECT_FALSE(screen.wrapped()) << columns;
      EXPECT_THAT(screen.lines(), SizeIs(4)) << columns;
    }
  }
}

TEST(TerminalMonitor, FollowsTheWindowWhenItGetsNarrower) {
  PseudoTerminal terminal(100);
  test::ManualClock clock;
  TerminalMonitor monitor(terminal.program.get(), kPlain, clock);
  const auto status = test::run_in_progress();
  monitor.progress(status);
  terminal.read();
  terminal.resize(50, 24);
  monitor.window_changed();
  monitor.progress(status);
  const std::string output = terminal.read();
  // Four lines of which the first two took two rows each after the change (87 and 67 columns), and
  // the last two as well.
  EXPECT_THAT(output, HasSubstr("\x1b[8A"));
  Screen screen(50);
  screen.feed(output);
  EXPECT_FALSE(screen.wrapped());
}

TEST(TerminalMonitor, LowWindowsGetFewerLines) {
  test::ManualClock clock;
  for (const auto& [rows, expected] :
       {std::pair<unsigned short, std::size_t>{1, 1}, {3, 2}, {5, 3}}) {
    PseudoTerminal terminal(80, rows);
    TerminalMonitor monitor(terminal.program.get(), kPlain, clock);
    monitor.progress(test::run_in_progress());
    Screen screen(80);
    screen.feed(terminal.read());
    EXPECT_THAT(screen.lines(), SizeIs(expected));
  }
}

TEST(TerminalMonitor, PauseLeavesTheDisplayAndAFreshLine) {
  PseudoTerminal terminal;
  test::ManualClock clock;
  Screen screen(80);
  TerminalMonitor monitor(terminal.program.get(), kFull, clock);
  auto status = test::run_in_progress();
  monitor.run_started(status);
  status.pause_reason = "error rate 7.0 % over 5 %";
  monitor.run_paused(status);
  const std::string output = terminal.read();
  screen.feed(output);
  EXPECT_EQ(output.substr(output.size() - 1), "\n");
  EXPECT_EQ(screen.column(), 0);
  EXPECT_EQ(screen.lines().back(), "llmbatch: paused: error rate 7.0 % over 5 %");
  EXPECT_THAT(screen.text(), HasSubstr("47.7 %"));
  EXPECT_THAT(screen.text(), Not(HasSubstr("sending")));
  monitor.run_finished(status);
  screen.feed(terminal.read());
  EXPECT_EQ(screen.column(), 0);
}

TEST(TerminalMonitor, EchoOfControlCIsErasedByTheNextRedraw) {
  PseudoTerminal terminal;
  test::ManualClock clock;
  Screen screen(80);
  TerminalMonitor monitor(terminal.program.get(), kPlain, clock);
  const auto status = test::run_in_progress();
  monitor.run_started(status);
  screen.feed(terminal.read());
  screen.feed("^C");
  clock.advance(std::chrono::seconds(1));
  monitor.progress(status);
  screen.feed(terminal.read());
  EXPECT_THAT(screen.text(), Not(HasSubstr("^C")));
  EXPECT_THAT(screen.lines(), SizeIs(5));
}

TEST(TerminalMonitor, SaysThatNoAnswerComes) {
  PseudoTerminal terminal;
  test::ManualClock clock;
  TerminalMonitor monitor(terminal.program.get(), kPlain, clock);
  const auto status = test::run_in_progress();
  monitor.run_started(status);
  clock.advance(std::chrono::seconds(19));
  monitor.progress(status);
  EXPECT_THAT(terminal.read(), Not(HasSubstr("no answer")));
  clock.advance(std::chrono::seconds(26));
  monitor.progress(status);
  EXPECT_THAT(terminal.read(), HasSubstr("no answer for 45s, 64 in flight"));
}

TEST(TerminalMonitor, TextOfServersCannotSteerTheTerminal) {
  PseudoTerminal terminal;
  test::ManualClock clock;
  TerminalMonitor monitor(terminal.program.get(), kPlain, clock);
  auto status = test::run_in_progress();
  status.waiting_for = "\x1b[2J\x07 gone\nnext";
  status.model = "\x1b]0;title\x07";
  monitor.run_started(status);
  monitor.message("\x1b[2Jboo\xC2\x9B");
  status.pause_reason = "\x1b[31mred";
  monitor.run_paused(status);
  const std::string output = terminal.read();
  EXPECT_THAT(output, Not(HasSubstr("\x1b[2J")));
  EXPECT_THAT(output, Not(HasSubstr("\x1b]0")));
  EXPECT_THAT(output, Not(HasSubstr("\x07")));
  EXPECT_THAT(output, Not(HasSubstr("\xC2\x9B")));
  EXPECT_THAT(output, Not(HasSubstr("\x1b[31m")));
}

TEST(TerminalMonitor, SurvivesAReaderThatIsGone) {
  test::ManualClock clock;
  PseudoTerminal terminal;
  TerminalMonitor monitor(terminal.program.get(), kPlain, clock);
  terminal.user.reset();
  monitor.run_started(test::run_in_progress());
  monitor.message("nobody reads this");
  monitor.run_finished(test::run_in_progress());
}

TEST(TerminalMonitor, MessagesOutlastAStoppedTerminal) {
  PseudoTerminal terminal;
  test::ManualClock clock;
  TerminalMonitor monitor(terminal.program.get(), kPlain, clock);
  ASSERT_EQ(::tcflow(terminal.program.get(), TCOOFF), 0);
  monitor.message("while stopped");
  EXPECT_EQ(terminal.read(), "");
  ASSERT_EQ(::tcflow(terminal.program.get(), TCOON), 0);
  monitor.progress(test::run_in_progress());
  EXPECT_THAT(terminal.read(), HasSubstr("while stopped"));
}

}  // namespace
}  // namespace llmbatch
