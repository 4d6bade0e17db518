#include "llmbatch/ui/monitors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "ui_fixture.h"

namespace llmbatch {
namespace {

using nlohmann::json;
using test::Pipe;
using test::ScopedVariable;
using test::split_lines;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

ItemResult item(const std::string& id) {
  ItemResult result;
  result.id = id;
  result.state = ItemState::succeeded;
  result.output = "bil\x1b[31mling";
  return result;
}

TEST(LogMonitor, TellsTheRunInPlainLines) {
  Pipe pipe;
  test::ManualClock clock;
  const auto monitor = choose_monitor({}, pipe.writer.get(), clock);
  auto status = test::run_in_progress();
  status.done_before = 12000;
  monitor->run_started(status);
  clock.advance(std::chrono::minutes(1));
  status.waiting_for = "retry-after, 40 s";
  monitor->progress(status);
  status.pause_reason = "quota exhausted";
  monitor->run_paused(status);
  monitor->run_finished(status);
  EXPECT_THAT(
      split_lines(pipe.read()),
      ElementsAre(
          "llmbatch: tickets.jsonl with gpt-4o-mini: 50,000 items, 12,000 done before",
          "llmbatch: 23,847/50,000 done (47.7 %), 3 filtered, 12 failed, 481 req/min, $107.31 so "
          "far, about $225.00 in all, "
          "ETA 54m, waiting for: retry-after, 40 s",
          "llmbatch: paused: quota exhausted",
          "llmbatch: stopped: 23,847/50,000 done (47.7 %), 3 filtered, 12 failed, 481 req/min, "
          "$107.31 so far, about $225.00 in all, took 50m"));
}

TEST(LogMonitor, PrintsALinePerHundredItems) {
  Pipe pipe;
  test::ManualClock clock;
  const auto monitor = choose_monitor({}, pipe.writer.get(), clock);
  auto status = test::run_in_progress();
  monitor->run_started(status);
  for (int i = 0; i < 1000; ++i) {  // 10 items a second for 100 seconds
    clock.advance(std::chrono::milliseconds(100));
    status.items[ItemState::succeeded] += 1;
    monitor->progress(status);
  }
  EXPECT_THAT(split_lines(pipe.read()), SizeIs(1 + 10));
}

TEST(LogMonitor, PrintsALinePerMinuteWhenLittleHappens) {
  Pipe pipe;
  test::ManualClock clock;
  const auto monitor = choose_monitor({}, pipe.writer.get(), clock);
  const auto status = test::run_in_progress();
  monitor->run_started(status);
  for (int i = 0; i < 1800; ++i) {
    clock.advance(std::chrono::milliseconds(100));
    monitor->progress(status);
  }
  EXPECT_THAT(split_lines(pipe.read()), SizeIs(1 + 3));
}

TEST(LogMonitor, NeverPrintsMoreThanALineASecond) {
  Pipe pipe;
  test::ManualClock clock;
  const auto monitor = choose_monitor({}, pipe.writer.get(), clock);
  auto status = test::run_in_progress();
  monitor->run_started(status);
  for (int i = 0; i < 100; ++i) {
    clock.advance(std::chrono::milliseconds(100));
    status.items[ItemState::succeeded] += 500;
    monitor->progress(status);
  }
  EXPECT_THAT(split_lines(pipe.read()), SizeIs(1 + 10));
}

TEST(LogMonitor, WritesNoControlCharacters) {
  Pipe pipe;
  test::ManualClock clock;
  const auto monitor = choose_monitor({.progress = ProgressMode::bar}, pipe.writer.get(), clock);
  auto status = test::run_in_progress();
  status.waiting_for = "\x1b[2J";
  status.input = "a\rb";
  monitor->run_started(status);
  monitor->status_line(status);
  monitor->message("warning: \x1b[31mred\x07");
  monitor->run_finished(status);
  for (const char c : pipe.read()) {
    EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  }
}

TEST(LogMonitor, DoesNotWaitForAReaderThatDoesNotRead) {
  Pipe pipe;
  test::ManualClock clock;
  const auto monitor = choose_monitor({}, pipe.writer.get(), clock);
  const std::string text(1000, 'x');
  for (int i = 0; i < 1000; ++i) monitor->message(text);
  std::string all = pipe.read();
  for (int i = 0; i < 20; ++i) {
    monitor->message("another");
    all += pipe.read();
  }
  EXPECT_THAT(all, HasSubstr("lines are lost"));
}

TEST(JsonMonitor, EveryLineIsAnEvent) {
  Pipe pipe;
  test::ManualClock clock;
  const auto monitor = choose_monitor({.progress = ProgressMode::json, .progress_items = true},
                                      pipe.writer.get(), clock);
  auto status = test::run_in_progress();
  monitor->run_started(status);
  monitor->progress(status);
  ASSERT_TRUE(monitor->wants_items());
  monitor->item_finished(item("t-1"));
  monitor->message("bad \xff bytes \x1b[31m");
  monitor->run_paused(status);
  monitor->run_finished(status);
  std::vector<std::string> types;
  for (const auto& line : split_lines(pipe.read())) {
    const json event = json::parse(line);
    types.push_back(event.at("type"));
    EXPECT_EQ(event.at("time"), "2026-11-23T02:14:07.123Z");
    if (types.back() == "item_finished") {
      EXPECT_EQ(event.at("id"), "t-1");
      EXPECT_EQ(event.at("output"), "bil\x1b[31mling");
    } else if (types.back() == "message") {
      EXPECT_EQ(event.at("message"), "bad \xEF\xBF\xBD bytes \x1b[31m");
    } else {
      EXPECT_EQ(event.at("items").at("succeeded"), 23832);
    }
  }
  EXPECT_THAT(types, ElementsAre("run_started", "progress", "item_finished", "message",
                                 "run_paused", "run_finished"));
}

TEST(JsonMonitor, ProgressComesOnceASecondAndItemsOnlyOnRequest) {
  Pipe pipe;
  test::ManualClock clock;
  const auto monitor = choose_monitor({.progress = ProgressMode::json}, pipe.writer.get(), clock);
  const auto status = test::run_in_progress();
  EXPECT_FALSE(monitor->wants_items());
  for (int i = 0; i < 30; ++i) {
    monitor->progress(status);
    monitor->item_finished(item("t-1"));
    clock.advance(std::chrono::milliseconds(100));
  }
  EXPECT_THAT(split_lines(pipe.read()), SizeIs(3));
}

TEST(JsonMonitor, ItemsAreWrittenAtTheNextProgress) {
  Pipe pipe;
  test::ManualClock clock;
  const auto monitor = choose_monitor({.progress = ProgressMode::json, .progress_items = true},
                                      pipe.writer.get(), clock);
  const auto status = test::run_in_progress();
  monitor->progress(status);
  pipe.read();
  clock.advance(std::chrono::milliseconds(100));
  monitor->item_finished(item("t-2"));
  monitor->progress(status);
  EXPECT_THAT(pipe.read(), HasSubstr("\"t-2\""));
}

TEST(QuietMonitor, SpeaksOnlyOfPausesWarningsAndErrors) {
  Pipe pipe;
  test::ManualClock clock;
  const auto monitor = choose_monitor({.quiet = true}, pipe.writer.get(), clock);
  auto status = test::run_in_progress();
  monitor->run_started(status);
  clock.advance(std::chrono::hours(1));
  monitor->progress(status);
  monitor->message("max_tokens 4096 is sent");
  monitor->message("error: disk full");
  status.pause_reason = "quota exhausted";
  monitor->run_paused(status);
  monitor->run_finished(status);
  EXPECT_THAT(split_lines(pipe.read()),
              ElementsAre("llmbatch: error: disk full", "llmbatch: paused: quota exhausted"));
}

TEST(QuietMonitor, ProgressNoneKeepsNotices) {
  Pipe pipe;
  test::ManualClock clock;
  const auto monitor = choose_monitor({.progress = ProgressMode::none}, pipe.writer.get(), clock);
  monitor->message("max_tokens 4096 is sent");
  EXPECT_EQ(pipe.read(), "llmbatch: max_tokens 4096 is sent\n");
}

TEST(ChooseMonitor, ALiveTerminalGetsTheDisplayInColor) {
  const ScopedVariable term("TERM", "xterm");
  const ScopedVariable no_color("NO_COLOR", nullptr);
  const ScopedVariable locale("LC_ALL", "C.UTF-8");
  test::PseudoTerminal terminal;
  test::ManualClock clock;
  choose_monitor({}, terminal.program.get(), clock)->run_started(test::run_in_progress());
  const std::string output = terminal.read();
  EXPECT_THAT(output, HasSubstr("█"));
  EXPECT_THAT(output, HasSubstr("\x1b[31m12 failed"));
}

TEST(ChooseMonitor, NoColorAndAnAsciiLocaleAreRespected) {
  const ScopedVariable term("TERM", "xterm");
  const ScopedVariable no_color("NO_COLOR", "1");
  const ScopedVariable locale("LC_ALL", "C");
  test::PseudoTerminal terminal;
  test::ManualClock clock;
  choose_monitor({}, terminal.program.get(), clock)->run_started(test::run_in_progress());
  const std::string output = terminal.read();
  EXPECT_THAT(output, HasSubstr("[####"));
  EXPECT_THAT(output, Not(HasSubstr("m12 failed")));
  for (const char c : output) EXPECT_LT(static_cast<unsigned char>(c), 0x80);
}

TEST(ChooseMonitor, ADumbTerminalGetsPlainLines) {
  const ScopedVariable term("TERM", "dumb");
  test::PseudoTerminal terminal;
  test::ManualClock clock;
  const auto monitor = choose_monitor({}, terminal.program.get(), clock);
  monitor->run_started(test::run_in_progress());
  monitor->status_line(test::run_in_progress());
  const std::string output = terminal.read();
  EXPECT_THAT(output, HasSubstr("23,847/50,000 done"));
  EXPECT_THAT(output, Not(HasSubstr("\x1b")));
}

TEST(DetectTerminal, ColorCanBeForcedAndForbidden) {
  const ScopedVariable term("TERM", "xterm");
  const ScopedVariable no_color("NO_COLOR", nullptr);
  Pipe pipe;
  test::PseudoTerminal terminal;
  EXPECT_FALSE(detect_terminal(pipe.writer.get(), ColorMode::automatic).color);
  EXPECT_TRUE(detect_terminal(pipe.writer.get(), ColorMode::always).color);
  EXPECT_TRUE(detect_terminal(terminal.program.get(), ColorMode::automatic).color);
  EXPECT_FALSE(detect_terminal(terminal.program.get(), ColorMode::never).color);
}

}  // namespace
}  // namespace llmbatch
