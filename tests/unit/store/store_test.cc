#include "llmbatch/store/store.h"

#include <sys/resource.h>

#include <csignal>

#include "store_fixture.h"

namespace llmbatch::store_test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class Storing : public StoreTest {};

TEST_F(Storing, NewDatabaseIsPrivateAndLeavesOneFileWhenClosed) {
  auto store = open();
  begin(*store, {{1, 1, LineKind::todo, 1}});
  commit(*store, {succeeded(1, "a", "x")});
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    EXPECT_EQ(entry.status().permissions(), std::filesystem::perms(0600)) << entry.path();
  }
  store.reset();
  reader().reset();
  EXPECT_THAT(directory_entries(), ElementsAre("t.db"));
}

TEST_F(Storing, JobIsAbsentUntilSetAndReadBack) {
  auto store = open();
  EXPECT_FALSE(store->job()->has_value());
  const JobIdentity job{"openai_chat", "openai", "gpt-4o-mini", "{{a}}", "sys", "id", "{}"};
  ASSERT_TRUE(store->set_job(job).has_value());
  store.reset();
  const auto read = reader()->job();
  ASSERT_TRUE(read->has_value());
  EXPECT_TRUE(differences(job, **read).empty());
}

TEST_F(Storing, ResultComesBackAsItWasCommitted) {
  auto store = open();
  begin(*store, {{1, 1, LineKind::todo, 1}});
  ItemUpdate update = succeeded(1, "t-1", "billing");
  update.input_text = R"({"id":"t-1"})";
  commit(*store, {update});

  const auto rows = results();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(to_json(rows[0].result),
            R"({"id":"t-1","state":"succeeded","output":"billing","error":null,)"
            R"("model":"gpt-4o-mini-2024-07-18","usage":{"input_tokens":412,)"
            R"("cached_input_tokens":0,"cache_write_tokens":0,"output_tokens":3,)"
            R"("reasoning_tokens":0,"estimated":false},"cost_usd":0.0000636,"attempts":1,)"
            R"("latency_ms":812,"finish_reason":"stop","provider_request_id":"req_t-1",)"
            R"("cached":false,"finished_at":")" +
                format_rfc3339(kNow) + "\"}");
  EXPECT_EQ(rows[0].request_hash, hash128("request t-1"));
  EXPECT_EQ(rows[0].input, R"({"id":"t-1"})");
  EXPECT_EQ(rows[0].result.place.offset_bytes, 100U);
  EXPECT_EQ(**reader()->response(rows[0].attempt_id), R"({"output":"billing"})");
}

TEST_F(Storing, RetriedItemSumsCostsAndShowsItsLastAttempt) {
  auto store = open();
  begin(*store, {{1, 1, LineKind::todo, 1}});
  ItemUpdate first = failed(1, "a", 1, ItemState::pending);
  first.attempt->cost = Money::from_pico(5);
  commit(*store, {first});
  EXPECT_TRUE(results().empty());
  EXPECT_EQ(*reader()->attempts_of(1), 1U);

  ItemUpdate second = succeeded(1, "a", "x");
  second.attempts = 2;
  second.attempt->number = 2;
  second.attempt->cost = Money::from_pico(7);
  commit(*store, {second});
  const auto rows = results();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].result.cost->pico(), 12);
  EXPECT_EQ(rows[0].result.attempts, 2U);
  EXPECT_EQ(rows[0].result.error, ErrorClass::none);
  EXPECT_EQ(rows[0].result.error_message, "");
  EXPECT_EQ(rows[0].result.provider_request_id, "req_a");
  EXPECT_EQ(*reader()->attempts_of(1), 2U);
  EXPECT_EQ(*reader()->attempts_of(99), 0U);
}

TEST_F(Storing, UnknownCostStaysUnknown) {
  auto store = open();
  begin(*store, {{1, 1, LineKind::todo, 1}});
  ItemUpdate update = succeeded(1, "a", "x");
  update.attempt->cost.reset();
  commit(*store, {update});
  EXPECT_FALSE(results()[0].result.cost.has_value());
  EXPECT_EQ(store->totals().unpriced, 1);
}

TEST_F(Storing, ErrorWithoutAttemptKeepsItsOwnMessage) {
  auto store = open();
  begin(*store, {{1, 1, LineKind::todo, 1}});
  commit(*store, {failed(1, "a", 1, ItemState::pending)});
  ItemUpdate update = failed(1, "a", 1, ItemState::failed);
  update.attempt.reset();
  update.error = ErrorClass::too_large;
  update.error_message = "larger than the limit";
  commit(*store, {update});
  EXPECT_EQ(results()[0].result.error_message, "larger than the limit");
  EXPECT_EQ(results()[0].result.attempts, 1U);
}

TEST_F(Storing, CachedAnswerShowsNothingOfAnEarlierAttempt) {
  auto store = open();
  begin(*store, {{1, 1, LineKind::todo, 1}});
  commit(*store, {failed(1, "a", 1, ItemState::pending)});
  ItemUpdate update = succeeded(1, "a", "x");
  update.attempt.reset();
  update.cached = true;
  commit(*store, {update});
  const auto rows = results();
  EXPECT_TRUE(rows[0].result.cached);
  EXPECT_FALSE(rows[0].result.latency_ms.has_value());
  EXPECT_EQ(rows[0].attempt_id, 0);
  EXPECT_EQ(store->totals().cached, 1);
}

TEST_F(Storing, TotalsCoverAllRunsAndSurviveReopening) {
  auto store = open();
  begin(*store, {{1, 2, LineKind::todo, 1}});
  commit(*store, {succeeded(1, "a", "x"), failed(2, "b", 1, ItemState::pending)});
  store = nullptr;
  store = open();
  commit(*store, {failed(2, "b", 2, ItemState::failed)});
  EXPECT_EQ(store->totals().attempts, 3);
  EXPECT_EQ(store->totals().retries, 1);
  EXPECT_EQ(store->totals().usage.input, 412);
  EXPECT_EQ(store->totals().cost.pico(), 63'600'000);
  EXPECT_EQ(reader()->totals()->attempts, 3);
}

TEST_F(Storing, InvalidUtf8AndNulsInResponsesAreKept) {
  auto store = open();
  begin(*store, {{1, 1, LineKind::todo, 1}});
  ItemUpdate update = succeeded(1, "a", std::string("x\0y", 3));
  const std::string bytes("\xff\xfe\0{\xc3", 5);
  update.attempt->response = bytes;
  commit(*store, {update});
  const auto rows = results();
  EXPECT_EQ(**reader()->response(rows[0].attempt_id), bytes);
  EXPECT_EQ(rows[0].result.output, std::string("x\0y", 3));
}

TEST_F(Storing, ResponseOf64MiBComesBackWhole) {
  auto store = open();
  begin(*store, {{1, 1, LineKind::todo, 1}});
  ItemUpdate update = succeeded(1, "a", "x");
  std::string bytes(64U << 20U, '\0');
  for (std::size_t i = 0; i < bytes.size(); i += 7) bytes[i] = static_cast<char>(i * 31 >> 8U);
  update.attempt->response = bytes;
  commit(*store, {update, succeeded(2, "b", "y")});
  const auto response = reader()->response(1);
  ASSERT_TRUE(response.has_value() && response->has_value());
  EXPECT_TRUE(**response == bytes);
}

TEST_F(Storing, LargeResponsesAreCompressedAndSmallOnesReadable) {
  auto store = open();
  begin(*store, {{1, 2, LineKind::todo, 1}});
  ItemUpdate large = succeeded(1, "a", "x");
  large.attempt->response = std::string(5000, 'a');
  commit(*store, {large, succeeded(2, "b", "y")});
  EXPECT_THAT(sql("select response_encoding, length(response) < 200 from attempts order by id"),
              ElementsAre("1|1", "0|1"));
  EXPECT_EQ((**reader()->response(1)).size(), 5000U);
  EXPECT_FALSE(reader()->response(77)->has_value());
}

TEST_F(Storing, ProgressAndLimiterStateAreThoseOfTheLastCommit) {
  auto store = open();
  begin(*store, {{1, 3, LineKind::todo, 1}});
  RunProgress progress;
  progress.done_below_line = 2;
  progress.items[ItemState::succeeded] = 1;
  progress.limiter_state = std::string("\x01\0\x02", 3);
  ASSERT_TRUE(store->commit({}, progress).has_value());
  EXPECT_EQ(*reader()->limiter_state(), std::string("\x01\0\x02", 3));
  const auto input = reader()->last_input();
  ASSERT_TRUE(input->has_value());
  EXPECT_EQ((*input)->done_below_line, 2U);
  EXPECT_EQ((*input)->items[ItemState::succeeded], 1);
  EXPECT_EQ(reader()->totals()->cost_ceiling, Money()) << "no call is priced, none is in flight";
  progress.cost_ceiling = Money::from_pico(500);
  progress.limiter_state.clear();
  ASSERT_TRUE(store->commit({}, progress).has_value());
  EXPECT_EQ(reader()->totals()->cost_ceiling, Money::from_pico(500));
  EXPECT_EQ(reader()->limiter_state()->size(), 3U);
}

TEST_F(Storing, UsageMeansAreKeptUntilTheJobChanges) {
  auto store = open();
  begin(*store, {{1, 3, LineKind::todo, 1}});
  EXPECT_EQ(*reader()->usage_means(), UsageMeans{});
  RunProgress progress;
  progress.usage_means = UsageMeans{410.5, 422.25, 300, 17.75, 4000};
  ASSERT_TRUE(store->commit({}, progress).has_value());
  EXPECT_EQ(*reader()->usage_means(), *progress.usage_means);
  ASSERT_TRUE(store->commit({}, RunProgress{}).has_value());
  EXPECT_EQ(*reader()->usage_means(), *progress.usage_means);

  RunStart again;
  auto job = store->job();
  ASSERT_TRUE(job.has_value());
  if (!*job) *job = JobIdentity{};
  again.job = &**job;
  again.keep_stored_plan = true;
  ASSERT_TRUE(store->begin_run(again).has_value());
  EXPECT_EQ(*reader()->usage_means(), *progress.usage_means);
  (*job)->model = "another";
  ASSERT_TRUE(store->begin_run(again).has_value());
  EXPECT_EQ(*reader()->usage_means(), UsageMeans{});
}

TEST_F(Storing, StatusRowIsReadWhileTheWriterIsOpen) {
  auto store = open();
  auto other = reader();
  EXPECT_FALSE(other->status()->has_value());
  RunStatus status;
  status.model = "openai/gpt-4o-mini";
  status.running = true;
  ASSERT_TRUE(store->update_status(status).has_value());
  EXPECT_EQ((*other->status())->model, "openai/gpt-4o-mini");
}

TEST_F(Storing, RunsAreNumberedAndTheirEndIsRecorded) {
  auto store = open();
  begin(*store, {});
  RunEnd end;
  end.reason = "finished";
  end.exit_code = 3;
  end.finished_at = kNow;
  end.status.finished_this_run = 12;
  ASSERT_TRUE(store->finish_run(end).has_value());
  begin(*store, {});
  EXPECT_EQ(*reader()->last_run_number(), 2);
  EXPECT_THAT(sql("select number, end_reason, exit_code, finished_items, pid from runs"),
              ElementsAre("1|finished|3|12|4711", "2|NULL|NULL|NULL|4711"));
}

TEST_F(Storing, ErrorIsSticky) {
  auto store = open();
  begin(*store, {{1, 1, LineKind::todo, 1}});
  sql("drop table attempts");
  RunProgress progress;
  const std::vector<ItemUpdate> updates{succeeded(1, "a", "x")};
  const Status first = store->commit(updates, progress);
  ASSERT_FALSE(first.has_value());
  const Status second = store->commit({}, progress);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().message, first.error().message);
}

TEST_F(Storing, FullDiskIsNamedAndNothingOfTheCommitStays) {
  auto store = open();
  begin(*store, {{1, 2, LineKind::todo, 1}});
  commit(*store, {succeeded(1, "a", "x")});
  rlimit old_limit{};
  getrlimit(RLIMIT_FSIZE, &old_limit);
  const rlimit small{1U << 20U, old_limit.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  ItemUpdate update = succeeded(2, "b", "x");
  for (std::uint32_t i = 0; i < 2'000'000; ++i) {
    update.attempt->response.push_back(static_cast<char>(hash64(std::to_string(i))));
  }
  RunProgress progress;
  const Status status = store->commit({&update, 1}, progress);
  setrlimit(RLIMIT_FSIZE, &old_limit);
  ASSERT_FALSE(status.has_value());
  EXPECT_THAT(status.error().message,
              AllOf(StartsWith("disk full"), HasSubstr(": could not write " + path_ + " (")));
  EXPECT_EQ(status.error().kind, ErrorKind::failure);
  store.reset();
  EXPECT_THAT(result_ids(), ElementsAre("a"));
}

}  // namespace
}  // namespace llmbatch::store_test
