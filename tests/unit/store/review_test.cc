// Verdicts, and what accept and requeue do to a job.
#include "llmbatch/store/review_reader.h"
#include "llmbatch/store/verdict_store.h"
#include "store_fixture.h"

namespace llmbatch::store_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Review : public StoreTest {
 protected:
  /// Lines 1 to 6: succeeded, flagged with an answer, failed, succeeded, failed, succeeded; line 3
  /// on were done before the last scan.
  void SetUp() override {
    StoreTest::SetUp();
    {
      auto store = open();
      begin(*store, {{1, 6, LineKind::todo, 1}});
      ItemUpdate flagged = succeeded(2, "b", "answer");
      flagged.state = ItemState::flagged;
      flagged.error = ErrorClass::check_failed;
      flagged.error_message = "not one of the choices";
      commit(*store, {succeeded(1, "a", "x"), flagged, failed(3, "c", 1, ItemState::failed),
                      succeeded(4, "d", "x"), failed(5, "e", 1, ItemState::failed),
                      succeeded(6, "f", "x")});
    }
    auto store = open();
    begin(*store, {{1, 2, LineKind::todo_again, 1}, {3, 4, LineKind::done, 3}});
    ItemUpdate flagged = succeeded(2, "b", "answer");
    flagged.state = ItemState::flagged;
    flagged.error = ErrorClass::check_failed;
    flagged.error_message = "not one of the choices";
    RunProgress progress;
    progress.done_below_line = 7;
    progress.items[ItemState::succeeded] = 3;
    progress.items[ItemState::flagged] = 1;
    progress.items[ItemState::failed] = 2;
    ASSERT_TRUE(store->commit(std::vector{succeeded(1, "a", "x"), flagged}, progress));
  }

  VerdictRecord about(std::uint64_t seq, Verdict verdict) const {
    auto review = ReviewReader::open(path_);
    const auto row = (*review)->item(seq, seq);
    EXPECT_TRUE(row && *row);
    VerdictRecord record;
    record.seq = seq;
    record.request_hash = (*row)->request_hash;
    record.attempt_id = (*row)->attempt_id;
    record.state = (*row)->result.state;
    record.verdict = verdict;
    record.sampled = true;
    record.time = kNow;
    record.reviewer = "ann";
    return record;
  }
  std::int64_t add(const VerdictRecord& record) const {
    auto verdicts = VerdictStore::open(path_);
    EXPECT_TRUE(verdicts) << verdicts.error().message;
    const auto number = (*verdicts)->add(record);
    EXPECT_TRUE(number) << number.error().message;
    return *number;
  }
  AppliedDecisions apply() const {
    auto applied = open()->apply_decisions();
    EXPECT_TRUE(applied) << (applied ? "" : applied.error().message);
    return applied ? *applied : AppliedDecisions{};
  }
  std::optional<Verdict> verdict_of(std::uint64_t seq) const {
    std::optional<Verdict> verdict;
    auto review = ReviewReader::open(path_);
    EXPECT_TRUE((*review)->for_each(kReviewedStates, [&](const ReviewCandidate& candidate) {
      if (candidate.seq == seq) verdict = candidate.verdict;
    }));
    return verdict;
  }
};

TEST_F(Review, NumbersAndNamesAreFixed) {
  add(about(1, Verdict::good));
  add(about(2, Verdict::accept));
  EXPECT_THAT(sql("select seq, attempt, state, verdict, sampled, applied, reviewer from verdicts"),
              ElementsAre("1|7|3|1|1|NULL|ann", "2|8|5|4|1|0|ann"));
  EXPECT_THAT(sql("select id, verdict, is_current from reviews"),
              ElementsAre("a|good|1", "b|accept|1"));
  EXPECT_EQ(static_cast<int>(Verdict::bad), 2);
  EXPECT_EQ(static_cast<int>(Verdict::skip), 3);
  EXPECT_EQ(static_cast<int>(Verdict::requeue), 5);
  for (const char* name : {"good", "bad", "skip", "accept", "requeue"}) {
    EXPECT_EQ(to_string(*parse_verdict(name)), name);
  }
  EXPECT_EQ(parse_verdict("fine"), std::nullopt);
}

TEST_F(Review, VerdictsAreStoredWhileARunHoldsTheDatabase) {
  auto running = open();
  add(about(1, Verdict::bad));
  EXPECT_EQ(verdict_of(1), Verdict::bad);
  commit(*running, {succeeded(1, "a", "new")}, 7);
}

TEST_F(Review, AVerdictOnAnOldAnswerDoesNotCountForTheNewOne) {
  add(about(1, Verdict::bad));
  commit(*open(), {succeeded(1, "a", "new")}, 7);
  EXPECT_EQ(verdict_of(1), std::nullopt);
}

TEST_F(Review, TheLatestVerdictCountsAndCanBeTakenBack) {
  add(about(1, Verdict::good));
  const std::int64_t number = add(about(1, Verdict::bad));
  EXPECT_EQ(verdict_of(1), Verdict::bad);
  EXPECT_TRUE(*(*VerdictStore::open(path_))->remove(number));
  EXPECT_EQ(verdict_of(1), Verdict::good);
}

TEST_F(Review, TallyCountsWhatWasDrawnAtRandom) {
  add(about(1, Verdict::good));
  add(about(2, Verdict::accept));
  add(about(4, Verdict::skip));
  VerdictRecord walked = about(3, Verdict::bad);
  walked.sampled = false;
  walked.note = "a walk";
  add(walked);
  auto review = ReviewReader::open(path_);
  const auto tally = (*review)->tally();
  ASSERT_TRUE(tally);
  ASSERT_EQ(tally->size(), 4U);
  EXPECT_EQ((*tally)[0].items, 3);
  EXPECT_EQ((*tally)[0].good, 1);
  EXPECT_EQ((*tally)[0].bad, 0);
  EXPECT_EQ((*tally)[2].good, 1) << "accepted is good";
  EXPECT_EQ((*tally)[3].items, 2);
  EXPECT_EQ((*tally)[3].bad, 0) << "not drawn at random";
  const auto notes = (*review)->notes(10);
  ASSERT_EQ(notes->size(), 1U);
  EXPECT_EQ((*notes)[0].id, "c");
  EXPECT_EQ((*notes)[0].note, "a walk");
}

TEST_F(Review, RequeuedItemsAreFoundByARunOfTheUnchangedInput) {
  add(about(2, Verdict::requeue));
  add(about(5, Verdict::requeue));
  EXPECT_EQ(apply().requeued, 2);
  auto source = reader();
  const auto input = source->last_input();
  EXPECT_EQ((*input)->done_below_line, 2U);
  EXPECT_EQ((*input)->items[ItemState::pending], 2);
  EXPECT_EQ((*input)->items[ItemState::flagged], 0);
  EXPECT_EQ((*input)->items[ItemState::failed], 1);
  EXPECT_EQ(source->count_states()->by_state, (*input)->items.by_state);
  const auto plan = source->remaining_plan(1);
  LineRun run;
  std::vector<std::string> todo;
  while (*plan->next(run)) {
    if (run.kind == LineKind::todo_again || run.kind == LineKind::todo) {
      todo.push_back(std::to_string(run.first_line) + "+" + std::to_string(run.count));
    }
  }
  EXPECT_THAT(todo, ElementsAre("2+1", "5+1"));
  EXPECT_THAT(result_ids(), ElementsAre("a", "c", "d", "f"));
  std::vector<int> last_states(7, -1);
  for (const IndexRecord& record : index_records()) {
    last_states[record.seq] = static_cast<int>(record.state);
  }
  EXPECT_THAT(last_states, ElementsAre(-1, 3, 0, 6, 3, 0, 3)) << "what a scan sees";
  EXPECT_THAT(sql("select count(*) from attempts where seq in (2, 5)"), ElementsAre("3"))
      << "paid answers stay";
}

TEST_F(Review, AcceptedAnswersAreSucceeded) {
  add(about(2, Verdict::accept));
  EXPECT_EQ(apply().accepted, 1);
  EXPECT_THAT(sql("select id, state, output, error from results where seq = 2"),
              ElementsAre("b|succeeded|answer|NULL"));
  EXPECT_EQ(reader()->count_states()->by_state, (*reader()->last_input())->items.by_state);
  EXPECT_THAT(sql("select applied from verdicts"), ElementsAre("1"));
  EXPECT_EQ(apply().accepted, 0) << "once";
  EXPECT_FALSE(*(*VerdictStore::open(path_))->remove(1)) << "what took effect stays";
}

TEST_F(Review, DecisionsLapseWhenTheyNoLongerFit) {
  add(about(2, Verdict::requeue));
  add(about(2, Verdict::bad));      // changed their mind
  add(about(3, Verdict::accept));   // no answer to accept
  add(about(1, Verdict::requeue));  // not a problem
  add(about(5, Verdict::requeue));  // answered again before it is carried out
  commit(*open(), {failed(5, "e", 2, ItemState::failed)}, 7);
  const AppliedDecisions applied = apply();
  EXPECT_EQ(applied.requeued, 0);
  EXPECT_EQ(applied.accepted, 0);
  EXPECT_EQ(applied.lapsed, 4);
  EXPECT_THAT(result_ids(), ElementsAre("a", "b", "c", "d", "e", "f"));
}

TEST_F(Review, WhatLeftTheInputIsNotRequeued) {
  add(about(3, Verdict::requeue));
  begin(*open(), {{1, 2, LineKind::done, 1}, {3, 3, LineKind::done, 4}});
  EXPECT_EQ(apply().lapsed, 1);
  EXPECT_THAT(result_ids(), ElementsAre("a", "b", "d", "e", "f", "c"));
}

TEST_F(Review, NeedsADatabaseThatIsThere) {
  const auto missing = VerdictStore::open(directory_ + "/none.db");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::usage);
}

}  // namespace
}  // namespace llmbatch::store_test
