// The journal of provider batches: what is durable after each step, and what a step leaves alone.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "llmbatch/store/history_reader.h"
#include "store_fixture.h"

namespace llmbatch::store_test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// Every member is another value than that of a new record.
BatchRecord full_record() {
  BatchRecord record;
  record.stage = BatchStage::submitted;
  record.call_begun_at = kNow + 1ms;
  record.tag = "llmbatch-0123456789abcdef";
  record.model = "claude-haiku-4-5";
  record.url = "/v1/messages";
  record.requests = 3;
  record.bytes = 4096;
  record.first_seq = 1;
  record.last_seq = 9;
  record.file_path = "/data/t.db.batch-1.jsonl";
  record.input_file = "file-abc";
  record.remote_id = "msgbatch_x";
  record.remote_state = RemoteBatchState::in_progress;
  record.counts = RemoteCounts{3, 1, 2};
  record.queue_full = true;
  record.cancel_asked = true;
  record.other_ids = {"msgbatch_y", "msgbatch_z"};
  record.key_hash = "f00d";
  record.reserved = Money::from_pico(77);
  record.answered = 1;
  record.unanswered = 2;
  record.created_at = kNow;
  record.submitted_at = kNow + 2ms;
  record.expires_at = kNow + 24h;
  record.ended_at = kNow + 3h;
  record.collected_at = kNow + 4h;
  record.message = "almost";
  return record;
}

void expect_equal(const BatchRecord& is, const BatchRecord& expected) {
  EXPECT_EQ(is.number, expected.number);
  EXPECT_EQ(is.run, expected.run);
  EXPECT_EQ(is.stage, expected.stage);
  EXPECT_EQ(is.call_begun_at, expected.call_begun_at);
  EXPECT_EQ(is.tag, expected.tag);
  EXPECT_EQ(is.model, expected.model);
  EXPECT_EQ(is.url, expected.url);
  EXPECT_EQ(is.requests, expected.requests);
  EXPECT_EQ(is.bytes, expected.bytes);
  EXPECT_EQ(is.first_seq, expected.first_seq);
  EXPECT_EQ(is.last_seq, expected.last_seq);
  EXPECT_EQ(is.file_path, expected.file_path);
  EXPECT_EQ(is.input_file, expected.input_file);
  EXPECT_EQ(is.remote_id, expected.remote_id);
  EXPECT_EQ(is.remote_state, expected.remote_state);
  ASSERT_EQ(is.counts.has_value(), expected.counts.has_value());
  if (is.counts) {
    EXPECT_EQ(is.counts->total, expected.counts->total);
    EXPECT_EQ(is.counts->succeeded, expected.counts->succeeded);
    EXPECT_EQ(is.counts->failed, expected.counts->failed);
  }
  EXPECT_EQ(is.queue_full, expected.queue_full);
  EXPECT_EQ(is.cancel_asked, expected.cancel_asked);
  EXPECT_EQ(is.other_ids, expected.other_ids);
  EXPECT_EQ(is.key_hash, expected.key_hash);
  EXPECT_EQ(is.reserved, expected.reserved);
  EXPECT_EQ(is.answered, expected.answered);
  EXPECT_EQ(is.unanswered, expected.unanswered);
  EXPECT_EQ(is.created_at, expected.created_at);
  EXPECT_EQ(is.submitted_at, expected.submitted_at);
  EXPECT_EQ(is.expires_at, expected.expires_at);
  EXPECT_EQ(is.ended_at, expected.ended_at);
  EXPECT_EQ(is.collected_at, expected.collected_at);
  EXPECT_EQ(is.message, expected.message);
}

/// An item on its way into a batch: no attempt, no result.
ItemUpdate submitted(std::uint64_t seq, const std::string& id) {
  ItemUpdate update = succeeded(seq, id, "");
  update.attempt.reset();
  update.state = ItemState::submitted;
  update.attempts = 0;
  update.http_status = 0;
  update.has_output = false;
  return update;
}

ItemUpdate answered(std::uint64_t seq, const std::string& id, const std::string& output) {
  ItemUpdate update = succeeded(seq, id, output);
  update.attempt->batch = 1;
  update.attempt->latency = 3h;
  return update;
}

Submission submission_of(std::uint64_t seq, std::int64_t batch, std::int64_t position) {
  Submission submission;
  submission.seq = seq;
  submission.batch = batch;
  submission.position = position;
  submission.tries = 1;
  submission.request_hash = hash128("request " + std::to_string(seq));
  return submission;
}

class StoredBatchJournal : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    start();
    begin(*store_, {{1, 9, LineKind::todo, 1}});
  }
  void start() {
    journal_.reset();
    store_.reset();
    store_ = open();
    journal_ = store_->batch_journal();
  }
  void write(const BatchCommit& commit) {
    const Status status = journal_->write(commit);
    ASSERT_TRUE(status.has_value()) << status.error().message;
  }
  /// Batch 1 with these items, as far as the provider has it.
  BatchRecord submit(const std::vector<std::uint64_t>& seqs) {
    BatchRecord record = full_record();
    EXPECT_TRUE(journal_->add(record).has_value());
    std::vector<ItemUpdate> items;
    std::vector<Submission> submissions;
    for (const std::uint64_t seq : seqs) {
      items.push_back(submitted(seq, "t-" + std::to_string(seq)));
      submissions.push_back(
          submission_of(seq, record.number, static_cast<std::int64_t>(submissions.size()) + 1));
    }
    BatchCommit commit;
    commit.items = items;
    commit.submissions = submissions;
    write(commit);
    return record;
  }
  std::vector<std::string> submissions() const {
    return sql("select seq, batch, position from submissions order by seq");
  }

  std::unique_ptr<Store> store_;
  std::unique_ptr<BatchJournal> journal_;
};

TEST_F(StoredBatchJournal, StagesAndStatesAreStoredAsTheseNumbers) {
  EXPECT_EQ(static_cast<int>(BatchStage::collecting), 0);
  EXPECT_EQ(static_cast<int>(BatchStage::ready), 1);
  EXPECT_EQ(static_cast<int>(BatchStage::uploaded), 2);
  EXPECT_EQ(static_cast<int>(BatchStage::submitted), 3);
  EXPECT_EQ(static_cast<int>(BatchStage::collected), 4);
  EXPECT_EQ(static_cast<int>(BatchStage::discarded), 5);
  EXPECT_EQ(static_cast<int>(BatchStage::written), 6);
  EXPECT_EQ(static_cast<int>(RemoteBatchState::unknown), 0);
  EXPECT_EQ(static_cast<int>(RemoteBatchState::validating), 1);
  EXPECT_EQ(static_cast<int>(RemoteBatchState::in_progress), 2);
  EXPECT_EQ(static_cast<int>(RemoteBatchState::finalizing), 3);
  EXPECT_EQ(static_cast<int>(RemoteBatchState::cancelling), 4);
  EXPECT_EQ(static_cast<int>(RemoteBatchState::completed), 5);
  EXPECT_EQ(static_cast<int>(RemoteBatchState::failed), 6);
  EXPECT_EQ(static_cast<int>(RemoteBatchState::expired), 7);
  EXPECT_EQ(static_cast<int>(RemoteBatchState::cancelled), 8);
}

TEST_F(StoredBatchJournal, TheViewHasTheirNames) {
  std::vector<std::string> expected;
  for (int number = 0; number <= 8; ++number) {
    BatchRecord record = full_record();
    record.stage = static_cast<BatchStage>(std::min(number, 6));
    record.remote_state = static_cast<RemoteBatchState>(number);
    ASSERT_TRUE(journal_->add(record).has_value());
    const std::string state(number == 0 ? "NULL" : to_string(record.remote_state));
    expected.push_back(std::to_string(number + 1) + "|" + std::string(to_string(record.stage)) +
                       "|" + state);
  }
  EXPECT_EQ(sql("select number, stage, provider_state from batch_log"), expected);
  EXPECT_EQ(expected[6], "7|written|failed");
  EXPECT_THAT(sql("select * from batch_log where number = 4"),
              ElementsAre("4|1|submitted|finalizing|msgbatch_x|claude-haiku-4-5|3|1|2|" +
                          format_rfc3339(kNow + 2ms) + "|" + format_rfc3339(kNow + 3h) + "|" +
                          format_rfc3339(kNow + 4h) + "|almost"));
}

TEST_F(StoredBatchJournal, ARecordComesBackWhole) {
  BatchRecord record = full_record();
  ASSERT_TRUE(journal_->add(record).has_value());
  EXPECT_EQ(record.number, 1);
  EXPECT_EQ(record.run, 1);
  BatchRecord empty;
  ASSERT_TRUE(journal_->add(empty).has_value());
  EXPECT_EQ(empty.number, 2);
  start();
  const auto stored = journal_->batches();
  ASSERT_TRUE(stored.has_value());
  ASSERT_EQ(stored->size(), 2U);
  expect_equal(stored->front(), record);
  expect_equal(stored->back(), empty);
  const auto read = reader()->batches();
  ASSERT_TRUE(read.has_value());
  ASSERT_EQ(read->size(), 2U);
  expect_equal(read->front(), record);
}

TEST_F(StoredBatchJournal, OfARunThatIsNotBegunABatchHasNoRun) {
  start();
  BatchRecord record;
  ASSERT_TRUE(journal_->add(record).has_value());
  EXPECT_EQ(record.run, 0);
}

TEST_F(StoredBatchJournal, ARecordIsWrittenOverThatOfItsNumber) {
  BatchRecord first = full_record();
  BatchRecord second = full_record();
  ASSERT_TRUE(journal_->add(first).has_value());
  ASSERT_TRUE(journal_->add(second).has_value());
  first.stage = BatchStage::collected;
  first.call_begun_at.reset();
  first.counts.reset();
  BatchCommit commit;
  commit.record = &first;
  write(commit);
  const auto stored = journal_->batches();
  ASSERT_TRUE(stored.has_value());
  ASSERT_EQ(stored->size(), 2U);
  expect_equal(stored->front(), first);
  expect_equal(stored->back(), second);
}

TEST_F(StoredBatchJournal, OneCommitHoldsRecordItemsSubmissionsAndProgress) {
  BatchRecord record;
  ASSERT_TRUE(journal_->add(record).has_value());
  record.stage = BatchStage::ready;
  record.requests = 1;
  const std::vector<ItemUpdate> items{submitted(4, "t-4")};
  const std::vector<Submission> submissions{submission_of(4, 1, 1)};
  RunProgress progress;
  progress.items[ItemState::submitted] = 1;
  progress.status = RunStatus{};
  progress.status->batches = {describe_batch(record)};
  write({&record, items, submissions, &progress});
  EXPECT_THAT(sql("select stage, requests from batches"), ElementsAre("1|1"));
  EXPECT_THAT(sql("select seq, state, attempts, finished_ms from items"),
              ElementsAre("4|2|0|NULL"));
  EXPECT_THAT(this->submissions(), ElementsAre("4|1|1"));
  EXPECT_THAT(sql("select submitted from progress"), ElementsAre("1"));
  const auto status = reader()->status();
  ASSERT_TRUE(status.has_value() && status->has_value());
  ASSERT_EQ((*status)->batches.size(), 1U);
  EXPECT_EQ((*status)->batches[0].state, "ready");
  const auto index = index_records();
  ASSERT_EQ(index.size(), 1U);
  EXPECT_EQ(index[0].state, ItemState::submitted);
}

TEST_F(StoredBatchJournal, AnEmptyCommitChangesNothing) {
  submit({1});
  const auto before = sql("select * from batches join submissions join progress");
  ASSERT_EQ(before.size(), 1U);
  write({});
  EXPECT_EQ(sql("select * from batches join submissions join progress"), before);
}

TEST_F(StoredBatchJournal, ProgressAloneKeepsStatusAndBatches) {
  submit({1});
  RunProgress progress;
  progress.items[ItemState::pending] = 8;
  BatchCommit commit;
  commit.progress = &progress;
  write(commit);
  EXPECT_THAT(sql("select pending from progress"), ElementsAre("8"));
  EXPECT_THAT(sql("select count(*) from status"), ElementsAre("0"));
  EXPECT_THAT(submissions(), ElementsAre("1|1|1"));
}

TEST_F(StoredBatchJournal, ACommitThatFailsLeavesNothingAndIsTheLast) {
  const BatchRecord record = submit({1});
  sql("create trigger full before insert on batches begin select raise(abort, 'no room'); end");
  const std::vector<ItemUpdate> items{answered(1, "t-1", "x")};
  const std::vector<Submission> submissions{submission_of(2, 1, 2)};
  const Status failed = journal_->write({&record, items, submissions, nullptr});
  ASSERT_FALSE(failed.has_value());
  EXPECT_THAT(failed.error().message, testing::HasSubstr("no room"));
  sql("drop trigger full");
  const Status next = journal_->write({});
  ASSERT_FALSE(next.has_value());
  EXPECT_EQ(next.error().message, failed.error().message);
  EXPECT_FALSE(store_->update_status({}).has_value()) << "the store has the same error";
  EXPECT_THAT(sql("select state from items"), ElementsAre("2"));
  EXPECT_THAT(sql("select count(*) from attempts"), ElementsAre("0"));
  EXPECT_THAT(this->submissions(), ElementsAre("1|1|1"));
}

TEST_F(StoredBatchJournal, ASubmissionComesBackWhole) {
  Submission written = submission_of(7, 3, 12);
  written.tries = 2;
  written.own_model = true;
  written.changed = true;
  written.reask = true;
  written.retries = 3;
  written.timeouts = 4;
  written.malformed = 5;
  written.truncated = 6;
  written.rate_limited = 7;
  BatchCommit commit;
  commit.submissions = {&written, 1};
  write(commit);
  const auto stored = journal_->submission(7);
  ASSERT_TRUE(stored.has_value() && stored->has_value());
  const Submission& submission = **stored;
  EXPECT_EQ(submission.seq, 7U);
  EXPECT_EQ(submission.batch, 3);
  EXPECT_EQ(submission.position, 12);
  EXPECT_EQ(submission.tries, 2U);
  EXPECT_TRUE(submission.own_model);
  EXPECT_TRUE(submission.changed);
  EXPECT_TRUE(submission.reask);
  EXPECT_EQ(submission.request_hash, written.request_hash);
  EXPECT_EQ(submission.retries, 3U);
  EXPECT_EQ(submission.timeouts, 4U);
  EXPECT_EQ(submission.malformed, 5U);
  EXPECT_EQ(submission.truncated, 6U);
  EXPECT_EQ(submission.rate_limited, 7U);
  EXPECT_FALSE(journal_->submission(8)->has_value());
  EXPECT_EQ((**journal_->submission(7)).position, 12) << "asked again after a miss";
}

TEST_F(StoredBatchJournal, ASubmissionIsWrittenOverThatOfItsItem) {
  submit({1, 2});
  Submission waiting = submission_of(1, 0, 0);
  BatchCommit commit;
  commit.submissions = {&waiting, 1};
  write(commit);
  EXPECT_THAT(submissions(), ElementsAre("1|0|0", "2|1|2"));
}

TEST_F(StoredBatchJournal, SubmissionsEndWithTheFinalStateOfTheirItems) {
  submit({1, 2, 3, 4, 5, 6});
  std::vector<ItemUpdate> items{answered(1, "t-1", "x"), answered(2, "t-2", "x"),
                                answered(3, "t-3", "x"), answered(4, "t-4", "x"),
                                answered(5, "t-5", "x"), submitted(6, "t-6")};
  items[1].state = ItemState::filtered;
  items[2].state = ItemState::flagged;
  items[3].state = ItemState::failed;
  items[4].state = ItemState::pending;
  BatchCommit commit;
  commit.items = items;
  write(commit);
  EXPECT_THAT(submissions(), ElementsAre("5|1|5", "6|1|6"));
}

TEST_F(StoredBatchJournal, TheyEndThroughTheStoreAndAfterAReopenToo) {
  submit({1, 2, 3});
  commit(*store_, {answered(1, "t-1", "x")});
  EXPECT_THAT(submissions(), ElementsAre("2|1|2", "3|1|3"));
  start();
  begin(*store_, {{1, 9, LineKind::todo, 1}});
  commit(*store_, {answered(2, "t-2", "x")});
  EXPECT_THAT(submissions(), ElementsAre("3|1|3"));
}

TEST_F(StoredBatchJournal, SubmissionsOfABatchComeInPiecesBySeq) {
  const BatchRecord record = submit({1, 2, 4, 5, 9});
  const std::vector<Submission> others{submission_of(2, 0, 0), submission_of(3, 2, 1)};
  BatchCommit commit;
  commit.submissions = others;
  write(commit);
  const auto seqs = [&](std::uint64_t after, std::size_t limit) {
    std::vector<std::uint64_t> found;
    const auto piece = journal_->submissions_of(record, after, limit);
    EXPECT_TRUE(piece.has_value());
    for (const Submission& submission : *piece) found.push_back(submission.seq);
    return found;
  };
  EXPECT_THAT(seqs(0, 2), ElementsAre(1, 4));
  EXPECT_THAT(seqs(4, 2), ElementsAre(5, 9));
  EXPECT_THAT(seqs(9, 2), IsEmpty());
}

TEST_F(StoredBatchJournal, APlaceInTheRequestFileLeadsToItsItem) {
  const BatchRecord record = submit({2, 5, 7});
  EXPECT_EQ(*journal_->seq_at(record, 2), 5U);
  EXPECT_EQ(*journal_->seq_at(record, 4), std::nullopt);
  BatchRecord other = record;
  other.number = 2;
  EXPECT_EQ(*journal_->seq_at(other, 2), std::nullopt);
}

TEST_F(StoredBatchJournal, AnItemIsKnownByItsRow) {
  submit({3});
  const auto item = journal_->item(3);
  ASSERT_TRUE(item.has_value());
  EXPECT_EQ(item->seq, 3U);
  EXPECT_EQ(item->id, "t-3");
  EXPECT_EQ(item->id_hash, hash128("t-3"));
  EXPECT_EQ(item->request_hash, hash128("request t-3"));
  EXPECT_EQ(item->place.line, 3U);
  EXPECT_EQ(item->place.offset_bytes, 300U);
  EXPECT_EQ(item->place.length_bytes, 99U);
  EXPECT_EQ(item->attempts, 0U);
  const auto missing = journal_->item(8);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().message, path_ + ": item 8 is missing");
}

TEST_F(StoredBatchJournal, TheLastAnswerIsReadAsItCame) {
  submit({1, 2});
  EXPECT_FALSE(journal_->last_answer(1)->has_value());
  EXPECT_FALSE(journal_->last_answer(9)->has_value());
  ItemUpdate first = answered(1, "t-1", "x");
  first.state = ItemState::pending;
  ItemUpdate second = first;
  second.attempts = 2;
  second.attempt->number = 2;
  second.attempt->response = std::string(100'000, 'y');  // stored compressed
  second.attempt->error_message = "not a colour";
  for (const ItemUpdate& update : {first, second}) {
    BatchCommit commit;
    commit.items = {&update, 1};
    write(commit);
  }
  const auto answer = journal_->last_answer(1);
  ASSERT_TRUE(answer.has_value() && answer->has_value());
  EXPECT_EQ((*answer)->response, second.attempt->response);
  EXPECT_EQ((*answer)->http_status, 200);
  EXPECT_EQ((*answer)->violation, "not a colour");
}

TEST_F(StoredBatchJournal, AChangedPlanLeavesSubmittedItemsAlone) {
  submit({1, 2});
  commit(*store_, {answered(2, "t-2", "x"), succeeded(3, "t-3", "x")});
  begin(*store_, {{1, 3, LineKind::todo_again, 1}});
  EXPECT_THAT(sql("select seq, state from items order by seq"), ElementsAre("1|2", "2|0", "3|0"));
  EXPECT_THAT(submissions(), ElementsAre("1|1|1"));
  const auto counts = reader()->count_states();
  EXPECT_EQ((*counts)[ItemState::submitted], 1);
  EXPECT_EQ((*counts)[ItemState::pending], 2);
  std::vector<std::string> last_states(4);
  for (const IndexRecord& record : index_records()) {
    last_states.at(record.seq) = to_string(record.state);
  }
  EXPECT_THAT(last_states, ElementsAre("", "submitted", "pending", "pending"));
}

TEST_F(StoredBatchJournal, SubmittedItemsAreLeftToDo) {
  submit({2});
  commit(*store_, {succeeded(1, "t-1", "x")});
  const auto source = reader();
  const auto plan = source->remaining_plan(1);
  std::vector<std::string> runs;
  LineRun run;
  while (*plan->next(run)) {
    runs.push_back(std::to_string(run.first_line) + "+" + std::to_string(run.count) +
                   (run.kind == LineKind::done ? " done" : " open"));
  }
  EXPECT_THAT(runs, ElementsAre("1+1 done", "2+1 open", "3+7 open"));
  EXPECT_EQ(source->progress_of(2)->state, ItemState::submitted);
}

TEST_F(StoredBatchJournal, AKilledProcessLeavesEveryStepThatReturned) {
  journal_.reset();
  store_.reset();
  const pid_t child = fork();
  if (child == 0) {
    start();
    begin(*store_, {{1, 9, LineKind::todo, 1}});
    BatchRecord record = submit({1, 2});
    record.call_begun_at = kNow + 5s;
    BatchCommit commit;
    commit.record = &record;
    write(commit);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  start();
  const auto batches = journal_->batches();
  ASSERT_TRUE(batches.has_value());
  ASSERT_EQ(batches->size(), 1U);
  EXPECT_EQ(batches->front().call_begun_at, kNow + 5s);
  EXPECT_EQ(batches->front().stage, BatchStage::submitted);
  EXPECT_EQ(journal_->submissions_of(batches->front(), 0, 10)->size(), 2U);
  begin(*store_, {{1, 9, LineKind::todo, 1}});
  EXPECT_THAT(sql("select seq, state from items"), ElementsAre("1|2", "2|2"));
  BatchRecord next;
  ASSERT_TRUE(journal_->add(next).has_value());
  EXPECT_EQ(next.number, 2) << "a number is never given again";
  const std::vector<ItemUpdate> items{answered(1, "t-1", "x")};
  BatchCommit commit;
  commit.items = items;
  write(commit);
  EXPECT_THAT(submissions(), ElementsAre("2|1|2"));
}

TEST_F(StoredBatchJournal, AnswersOfABatchHaveNoLatency) {
  submit({1});
  commit(*store_, {answered(1, "t-1", "x"), succeeded(2, "t-2", "x")});
  EXPECT_THAT(sql("select id, latency_ms from results order by seq"),
              ElementsAre("t-1|NULL", "t-2|812"));
  EXPECT_THAT(sql("select id, batch, latency_ms from attempt_log order by seq"),
              ElementsAre("t-1|1|NULL", "t-2|NULL|812"));
  const auto rows = results();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].result.latency_ms, std::nullopt);
  EXPECT_EQ(rows[1].result.latency_ms, 812);
  const auto answered_items = reader()->answered_items({}, 10);
  ASSERT_EQ(answered_items->size(), 2U);
  EXPECT_EQ((*answered_items)[0].latency_us, 0);
  EXPECT_EQ((*answered_items)[1].latency_us, 812'000);
}

TEST_F(StoredBatchJournal, TheHistoryTellsWhatCameWithABatch) {
  submit({1});
  commit(*store_, {answered(1, "t-1", "x"), succeeded(2, "t-2", "x"),
                   failed(3, "t-3", 1, ItemState::failed)});
  const auto source = reader();
  auto history = source->history();
  ASSERT_TRUE(history.has_value());
  std::vector<std::int64_t> batches;
  ASSERT_TRUE(history->for_each_attempt(
      [&](const AttemptFacts& attempt) { batches.push_back(attempt.batch); }));
  EXPECT_THAT(batches, ElementsAre(1, 0, 0));
  std::vector<bool> in_batch;
  ASSERT_TRUE(
      history->for_each_item([&](const ItemFacts& item) { in_batch.push_back(item.in_batch); }));
  EXPECT_THAT(in_batch, ElementsAre(true, false, false));
}

}  // namespace
}  // namespace llmbatch::store_test
