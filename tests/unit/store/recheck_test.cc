// Answers judged anew: one transaction with the job that is adopted.
#include "store_fixture.h"

namespace llmbatch::store_test {
namespace {

using testing::ElementsAre;

class Rechecking : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    store_ = open();
    begin(*store_, {{1, 3, LineKind::todo, 1}});
    ItemUpdate flagged = succeeded(2, "b", "bad");
    flagged.state = ItemState::flagged;
    flagged.error = flagged.attempt->error = ErrorClass::check_failed;
    flagged.error_message = flagged.attempt->error_message = "old reason";
    commit(*store_, {succeeded(1, "a", "x"), flagged, failed(3, "c", 1, ItemState::failed)});
  }

  static RecheckedItem item(std::uint64_t seq, const std::string& id, ItemState before) {
    RecheckedItem one;
    one.seq = seq;
    one.id_hash = hash128(id);
    one.request_hash = hash128("new request " + id);
    one.before = one.state = before;
    return one;
  }

  Result<std::int64_t> recheck(RecheckStream& items) {
    VectorStream<LineRun> plan({{1, 3, LineKind::done, 1}});
    RunStart start;
    start.input = {"/data/t.jsonl", 1, 2, 3000, 4, 5, hash128("ends")};
    start.plan = &plan;
    start.started_at = kNow;
    const JobIdentity job{"openai-chat", "custom", "m", "", "", "id", "{}", "new checks"};
    start.job = &job;
    start.rechecked = &items;
    start.progress.items[ItemState::succeeded] = 1;
    start.progress.items[ItemState::flagged] = 1;
    start.progress.items[ItemState::failed] = 1;
    start.progress.status = RunStatus{};
    return store_->begin_run(start);
  }

  std::unique_ptr<Store> store_;
};

TEST_F(Rechecking, WritesStateOutputAndHashAndNothingElse) {
  const auto before = sql("select attempts, cost_pico, finished_ms, last_attempt from items");
  RecheckedItem a = item(1, "a", ItemState::succeeded);
  a.judged = true;
  a.state = ItemState::flagged;
  a.error = ErrorClass::check_failed;
  a.error_message = "new reason";
  a.output = "raw";
  RecheckedItem b = item(2, "b", ItemState::flagged);
  b.judged = true;
  b.state = ItemState::succeeded;
  b.output = "[1]";
  b.output_is_json = true;
  VectorStream<RecheckedItem> items({a, b, item(3, "c", ItemState::failed)});
  ASSERT_TRUE(recheck(items).has_value());
  EXPECT_THAT(sql("select id, state, output, error, error_message from results order by seq"),
              ElementsAre("a|flagged|raw|check_failed|new reason", "b|succeeded|[1]|NULL|NULL",
                          "c|failed|NULL|server_error|the server had an error"));
  EXPECT_EQ(sql("select attempts, cost_pico, finished_ms, last_attempt from items"), before);
  EXPECT_THAT(sql("select succeeded, flagged, failed from progress"), ElementsAre("1|1|1"));
  EXPECT_EQ((*reader()->status())->items[ItemState::flagged], 1);
  // What a scan compares with: the last records count.
  const auto records = index_records();
  ASSERT_EQ(records.size(), 6U);
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string id(1, static_cast<char>('a' + i));
    EXPECT_EQ(records[3 + i].request_hash, hash128("new request " + id));
    EXPECT_EQ(results()[i].request_hash, hash128("new request " + id));
  }
  EXPECT_EQ(records[3].state, ItemState::flagged);
  EXPECT_EQ(records[4].state, ItemState::succeeded);
  EXPECT_EQ((*reader()->job())->checks, "new checks");
}

TEST_F(Rechecking, AVerdictStaysWithItsAnswer) {
  sql("insert into verdicts (seq, request_hash, attempt, state, verdict, sampled, applied, time_ms,"
      " reviewer) select seq, request_hash, last_attempt, state, 4, 0, 1, 0, 'ann' from items"
      " where seq < 3; update verdicts set request_hash = x'00' where seq = 2");
  EXPECT_TRUE((*reader()->answer_of(1))->accepted);
  EXPECT_FALSE((*reader()->answer_of(2))->accepted) << "of another answer";
  VectorStream<RecheckedItem> items(
      {item(1, "a", ItemState::succeeded), item(2, "b", ItemState::flagged)});
  ASSERT_TRUE(recheck(items).has_value());
  EXPECT_TRUE((*reader()->answer_of(1))->accepted);
  EXPECT_FALSE((*reader()->answer_of(2))->accepted);
}

TEST_F(Rechecking, AFailureHalfWayLeavesEverythingAsItWas) {
  class Broken final : public RecheckStream {
   public:
    Result<bool> next(RecheckedItem& one) override {
      if (++calls_ > 1) return failure("interrupted");
      one = item(1, "a", ItemState::succeeded);
      one.judged = true;
      one.state = ItemState::flagged;
      return true;
    }
    Status rewind() override { return {}; }

   private:
    int calls_ = 0;
  } items;
  const auto before = sql("select * from items");
  EXPECT_FALSE(recheck(items).has_value());
  EXPECT_EQ(sql("select * from items"), before);
  EXPECT_EQ(index_records().size(), 3U);
  EXPECT_THAT(sql("select count(*) from job"), ElementsAre("0"));
}

TEST_F(Rechecking, ReadsWhatIsJudged) {
  const auto source = reader();
  const auto answer = source->answer_of(2);
  ASSERT_TRUE(answer.has_value() && answer->has_value());
  EXPECT_EQ((*answer)->state, ItemState::flagged);
  EXPECT_EQ((*answer)->error, ErrorClass::check_failed);
  EXPECT_EQ((*answer)->http_status, 200);
  EXPECT_EQ((*answer)->output, "bad");
  EXPECT_EQ(**source->response((*answer)->attempt_id), R"({"output":"bad"})");
  EXPECT_FALSE(source->answer_of(9)->has_value());
}

}  // namespace
}  // namespace llmbatch::store_test
