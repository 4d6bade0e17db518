#include "llmbatch/store/history_reader.h"
#include "store_fixture.h"

namespace llmbatch {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class HistoryTest : public store_test::StoreTest {};

TEST_F(HistoryTest, ARunKeepsTheLimitsThatWereSet) {
  auto store = open();
  for (const std::int64_t rpm : {std::int64_t{500}, std::int64_t{0}, std::int64_t{60}}) {
    RunStart start;
    start.input.path = "t.jsonl";
    if (rpm > 0) start.requests_per_minute = rpm;
    start.tokens_per_minute = 90'000;
    start.started_at = store_test::kNow;
    ASSERT_TRUE(store->begin_run(start));
  }
  EXPECT_THAT(sql("select rpm, tpm from runs"), ElementsAre("500|90000", "NULL|90000", "60|90000"));
  auto source = reader();
  auto history = source->history();
  ASSERT_TRUE(history);
  EXPECT_EQ(history->highest_request_limit(), 500);
  EXPECT_EQ(history->run_count(), 3);
  const auto runs = history->last_runs(2);
  ASSERT_TRUE(runs);
  ASSERT_THAT(*runs, SizeIs(2));
  EXPECT_EQ((*runs)[0].number, 2);
  EXPECT_FALSE((*runs)[0].requests_per_minute);
  EXPECT_EQ((*runs)[1].requests_per_minute, 60);
  EXPECT_FALSE((*runs)[1].finished_at);
}

TEST_F(HistoryTest, StreamsEveryAttemptAndItem) {
  auto store = open();
  begin(*store, {});
  commit(*store,
         {store_test::succeeded(1, "a", "yes"), store_test::failed(2, "b", 1, ItemState::pending)});
  commit(*store, {store_test::failed(2, "b", 2, ItemState::failed)});
  auto source = reader();
  auto history = source->history();
  ASSERT_TRUE(history);
  std::vector<std::string> calls;
  ASSERT_TRUE(history->for_each_attempt([&](const AttemptFacts& attempt) {
    calls.push_back(std::to_string(attempt.number) + " " + std::string(to_string(attempt.error)) +
                    " " + std::string(attempt.model) + " " + std::string(attempt.error_message) +
                    (attempt.cost ? " " + attempt.cost->to_decimal() : ""));
    EXPECT_EQ(attempt.latency_us, 812'000);
    EXPECT_EQ(attempt.usage.has_value(), attempt.error == ErrorClass::none);
  }));
  EXPECT_THAT(calls, ElementsAre("1 none gpt-4o-mini-2024-07-18  0.0000636",
                                 "1 server_error  the server had an error",
                                 "2 server_error  the server had an error"));
  std::vector<std::string> items;
  ASSERT_TRUE(history->for_each_item([&](const ItemFacts& item) {
    items.push_back(std::string(to_string(item.state)) + " " + std::to_string(item.attempts));
  }));
  EXPECT_THAT(items, ElementsAre("succeeded 1", "failed 2"));
}

TEST_F(HistoryTest, IsOfOneMomentWhileARunGoesOn) {
  auto store = open();
  begin(*store, {});
  commit(*store, {store_test::succeeded(1, "a", "yes")});
  auto source = reader();
  auto history = source->history();
  ASSERT_TRUE(history);
  EXPECT_EQ(history->run_count(), 1);  // the first read fixes the moment
  commit(*store, {store_test::succeeded(2, "b", "yes")});
  int attempts = 0;
  ASSERT_TRUE(history->for_each_attempt([&](const AttemptFacts&) { ++attempts; }));
  EXPECT_EQ(attempts, 1);
  EXPECT_EQ(source->totals()->attempts, 1);
}

TEST_F(HistoryTest, SamplesOfEachKindOfProblemWithTheirTexts) {
  auto store = open();
  begin(*store, {}, {{9, 900, "", "not a JSON object", "nope"}});
  std::vector<ItemUpdate> updates{store_test::succeeded(1, "fine", "yes")};
  for (std::uint64_t seq = 2; seq < 8; ++seq) {
    updates.push_back(store_test::failed(seq, "f" + std::to_string(seq), 1, ItemState::failed));
  }
  ItemUpdate flagged = store_test::succeeded(8, "cut", std::string("a\0b", 3));
  flagged.state = ItemState::flagged;
  flagged.error = ErrorClass::truncated;
  flagged.input_text = "{\"id\":\"cut\"}";
  updates.push_back(flagged);
  commit(*store, updates);
  auto source = reader();
  auto history = source->history();
  ASSERT_TRUE(history);
  const auto samples = history->problem_samples(2, 10);
  ASSERT_TRUE(samples);
  ASSERT_THAT(*samples, SizeIs(4));
  EXPECT_EQ((*samples)[0].id, "f2");
  EXPECT_EQ((*samples)[0].message, "the server had an error");
  EXPECT_EQ((*samples)[0].response, "{\"error\":{}}");
  EXPECT_EQ((*samples)[0].place.offset_bytes, 200U);
  EXPECT_EQ((*samples)[0].request_hash, hash128("request f2"));
  EXPECT_EQ((*samples)[2].output, std::string("a\0b", 3));
  EXPECT_EQ((*samples)[2].input, "{\"id\":\"cut\"}");
  EXPECT_FALSE((*samples)[2].response);
  EXPECT_EQ((*samples)[3].state, ItemState::invalid);
  EXPECT_EQ((*samples)[3].input, "nope");
  EXPECT_THAT(*history->problem_samples(2, 1), SizeIs(1));
}

}  // namespace
}  // namespace llmbatch
