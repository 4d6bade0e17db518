#include "llmbatch/ui/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ui_fixture.h"

namespace llmbatch {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string text_of(const RunStatus& status, const SummaryHints& hints) {
  std::string text;
  for (const StyledLine& line : format_summary(status, hints)) text += line.plain_text() + "\n";
  return text;
}

RunStatus finished_with_problems() {
  RunStatus status = test::run_in_progress();
  status.items[ItemState::succeeded] = 49985;
  status.items[ItemState::in_flight] = 0;
  status.items[ItemState::pending] = 0;
  status.duplicates = 17;
  status.errors = {{"server_error", "The server had\x1b[31m an error", 12},
                   {"content_policy", "", 3}};
  return status;
}

TEST(Summary, TellsAFinishedRunOnOneScreen) {
  EXPECT_EQ(
      text_of(finished_with_problems(),
              {.resume_command = "llmbatch run tickets.jsonl", .exit_code = 3, .price_note = ""}),
      "llmbatch: finished, 15 of 50,000 items need a look\n"
      "\n"
      "  succeeded   49,985   99.9 %\n"
      "  filtered         3   <0.1 %\n"
      "  failed          12   <0.1 %\n"
      "\n"
      "  duplicates  17 equal lines left out\n"
      "  retries     231 in 24,078 attempts\n"
      "  tokens      11,923,500 in, 4,769,400 out\n"
      "  cost        $107.31\n"
      "  duration    50m, 477 items/min on average\n"
      "\n"
      "  errors      12 server_error: The server had\xEF\xBF\xBD[31m an error\n"
      "              3 content_policy\n"
      "\n"
      "  database    tickets.jsonl.llmbatch.db\n"
      "  next        llmbatch export tickets.jsonl.llmbatch.db  # all results\n"
      "              llmbatch export tickets.jsonl.llmbatch.db --state "
      "filtered,flagged,failed,invalid  # the "
      "problems\n"
      "              llmbatch run tickets.jsonl --retry failed  # tries them again\n");
}

TEST(Summary, ASuccessNeedsNoErrorsAndOneNextStep) {
  RunStatus status = finished_with_problems();
  status.items[ItemState::succeeded] = 50000;
  status.items[ItemState::filtered] = 0;
  status.items[ItemState::failed] = 0;
  const std::string text =
      text_of(status, {.resume_command = "llmbatch run x", .exit_code = 0, .price_note = ""});
  EXPECT_THAT(text, HasSubstr("llmbatch: done, all 50,000 items succeeded\n"));
  EXPECT_THAT(text, HasSubstr("next        llmbatch export tickets.jsonl.llmbatch.db\n"));
  EXPECT_THAT(text, Not(HasSubstr("errors ")));
  EXPECT_THAT(text, Not(HasSubstr("llmbatch run")));
}

TEST(Summary, PausesAndInterruptsNameTheCommandToGoOnWith) {
  for (const int code : {1, 4, 6, 130, 143}) {
    const std::string text =
        text_of(test::run_in_progress(), {.resume_command = "llmbatch run tickets.jsonl --rpm 500",
                                          .exit_code = code,
                                          .price_note = ""});
    EXPECT_THAT(text, HasSubstr("next        llmbatch run tickets.jsonl --rpm 500  # "));
    EXPECT_THAT(text, HasSubstr("23,847 of 50,000 items done"));
    EXPECT_THAT(text, Not(HasSubstr("llmbatch export")));
  }
}

RunStatus with_batches(std::size_t count) {
  RunStatus status = test::run_in_progress();
  status.items[ItemState::submitted] = 10;
  for (std::size_t i = 0; i < count; ++i) {
    BatchProgress batch;
    batch.number = static_cast<std::int64_t>(i) + 1;
    batch.provider_id = "msgbatch_x";
    batch.state = "in_progress";
    batch.requests = 10;
    batch.done = 4;
    status.batches.push_back(batch);
  }
  return status;
}

TEST(Summary, OpenBatchesAreCountedListedAndCollectedByTheNextCommand) {
  const SummaryHints hints{
      .resume_command = "llmbatch run x --via batch", .exit_code = 6, .price_note = ""};
  const std::string text = text_of(with_batches(2), hints);
  EXPECT_THAT(text, HasSubstr("llmbatch: 2 provider batches are still in progress, 23,847 of "));
  EXPECT_THAT(text, HasSubstr("\n  batches     1  msgbatch_x  in_progress  4/10\n"
                              "              2  msgbatch_x  in_progress  4/10\n"));
  EXPECT_THAT(text, HasSubstr("next        llmbatch run x --via batch  # collects the batches\n"));
  EXPECT_THAT(text_of(with_batches(1), hints),
              HasSubstr("llmbatch: 1 provider batch is still in progress, "));
  EXPECT_THAT(text_of(with_batches(9), hints), HasSubstr("\n              and 4 more\n"));
}

TEST(Summary, AWrittenRequestFileWaitsForItsResults) {
  const SummaryHints hints{.resume_command = "llmbatch run x", .exit_code = 6, .price_note = ""};
  RunStatus status = with_batches(2);
  status.batches[0].state = "written";
  EXPECT_THAT(text_of(status, hints), HasSubstr("llmbatch: 2 provider batches are still in "));
  EXPECT_THAT(text_of(status, hints),
              HasSubstr("next        llmbatch run x  # collects the batches\n"
                        "              llmbatch batches read RESULTS.jsonl --db "
                        "tickets.jsonl.llmbatch.db  # stores their answers\n"));
  status.batches[1].state = "written";
  EXPECT_THAT(text_of(status, hints), HasSubstr("llmbatch: 2 batches wait for their result files"));
  EXPECT_THAT(text_of(status, hints), HasSubstr("next        llmbatch batches read RESULTS"));
  EXPECT_THAT(text_of(status, hints), Not(HasSubstr("llmbatch run x")));
}

TEST(Summary, ARunThatCollectedBatchesHasNoRate) {
  RunStatus status = finished_with_problems();
  const SummaryHints hints{.resume_command = "", .exit_code = 3, .price_note = ""};
  EXPECT_THAT(text_of(status, hints), HasSubstr("duration    50m, 477 items/min on average\n"));
  status.collected_this_run = 1;
  EXPECT_THAT(text_of(status, hints), HasSubstr("duration    50m\n"));
}

TEST(Summary, APausedRunWithOpenBatchesSaysThatTheyAreCollected) {
  const SummaryHints hints{.resume_command = "llmbatch run x", .exit_code = 4, .price_note = ""};
  EXPECT_THAT(text_of(with_batches(1), hints),
              HasSubstr("llmbatch run x  # goes on from here, and collects the batches\n"));
}

TEST(Summary, ASpentBudgetIsNotGoneOnWithAsItIs) {
  RunStatus status = test::run_in_progress();
  status.pause_reason = "--max-cost $5 would be passed: $4.99 spent";
  const SummaryHints hints{.resume_command = "llmbatch run x", .exit_code = 4, .price_note = ""};
  EXPECT_THAT(text_of(status, hints),
              HasSubstr("llmbatch run x  # goes on from here, with a higher --max-cost"));
  status.pause_reason = "--max-duration 1h is over";
  EXPECT_THAT(text_of(status, hints), HasSubstr("llmbatch run x  # goes on from here\n"));
}

TEST(Summary, UnknownCostIsNeverZero) {
  RunStatus status = finished_with_problems();
  status.spent.reset();
  EXPECT_THAT(
      text_of(status, {.resume_command = "", .exit_code = 3, .price_note = "no price for m"}),
      HasSubstr("cost        unknown (no price for m)\n"));
}

TEST(Summary, NothingToDoIsSaidAndCostsNothing) {
  RunStatus status;
  status.database = "a b.db";
  status.items[ItemState::succeeded] = 5;
  status.done_before = 5;
  const std::string text =
      text_of(status, {.resume_command = "", .exit_code = 0, .price_note = ""});
  EXPECT_THAT(text, HasSubstr("llmbatch: nothing to do, all 5 items succeeded"));
  EXPECT_THAT(text, HasSubstr("llmbatch export 'a b.db'"));
  EXPECT_THAT(text, Not(HasSubstr("duration")));
  EXPECT_THAT(text, Not(HasSubstr("\n\n\n")));
}

TEST(Summary, GoesToADescriptorWithoutEscapeCodes) {
  test::Pipe pipe;
  {
    LinePrinter printer(pipe.writer.get(),
                        detect_terminal(pipe.writer.get(), ColorMode::automatic));
    print_summary(printer, finished_with_problems(),
                  {.resume_command = "llmbatch run x", .exit_code = 3, .price_note = ""});
  }
  const std::string output = pipe.read();
  EXPECT_THAT(output, HasSubstr("need a look"));
  EXPECT_THAT(output, Not(HasSubstr("\x1b")));
}

TEST(ShellQuote, QuotesWhatAShellWouldTakeApart) {
  EXPECT_EQ(shell_quote("tickets.jsonl"), "tickets.jsonl");
  EXPECT_EQ(shell_quote(""), "''");
  EXPECT_EQ(shell_quote("it's $5"), "'it'\\''s $5'");
}

}  // namespace
}  // namespace llmbatch
