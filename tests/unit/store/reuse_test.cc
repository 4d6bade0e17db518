// Identical requests in the database: hints beside the line map, answers found and taken over.
#include "store_fixture.h"

namespace llmbatch::store_test {
namespace {

using testing::ElementsAre;

class StoredReuse : public StoreTest {
 protected:
  static RunStart run_start(LineRunStream& plan, const std::optional<Hash128>& endpoint = {}) {
    RunStart start;
    start.plan = &plan;
    start.endpoint = endpoint;
    return start;
  }
  void begin_with(Store& store, std::vector<LineRun> plan, std::vector<LineRun> repeats,
                  const std::optional<Hash128>& endpoint = {}) const {
    VectorStream<LineRun> lines(std::move(plan));
    VectorStream<LineRun> hints(std::move(repeats));
    RunStart start = run_start(lines, endpoint);
    start.repeats = &hints;
    ASSERT_TRUE(store.begin_run(start).has_value());
  }
  std::vector<std::string> hints(std::uint64_t from_line) const {
    auto source = reader();
    auto stream = *source->repeats(from_line);
    std::vector<std::string> found;
    LineRun run;
    while (stream && *stream->next(run)) {
      found.push_back(std::to_string(run.first_line) + "+" + std::to_string(run.count) + ":" +
                      std::to_string(run.first_seq));
    }
    return found;
  }
};

ItemUpdate taken_over(std::uint64_t seq, const std::string& id, std::uint64_t from) {
  ItemUpdate update = succeeded(seq, id, "");
  update.attempt.reset();
  update.attempts = 0;
  update.cached = true;
  auto answer = std::make_shared<ReusedAnswer>();
  answer->seq = from;
  answer->http_status = 200;
  answer->output = "hello";
  answer->usage = Usage{.input = 412, .output = 3};
  answer->cost = Money::from_pico(63'600'000);
  update.reused = std::move(answer);
  return update;
}

TEST_F(StoredReuse, HintsAreKeptBesideTheLineMapAndReplacedWithIt) {
  auto store = open();
  std::vector<LineRun> many;
  for (std::uint64_t line = 2; line < 12'000; line += 2) {
    many.push_back({line, 1, LineKind::todo, line / 2});
  }
  begin_with(*store, {{1, 12'000, LineKind::todo, 1}}, many);
  EXPECT_EQ(hints(1).size(), many.size());
  EXPECT_EQ(hints(11'998), (std::vector<std::string>{"11998+1:5999"}));
  begin_with(*store, {{1, 9, LineKind::todo, 1}},
             {{3, 4, LineKind::todo, 2}, {9, 1, LineKind::todo, 1}});
  EXPECT_THAT(hints(1), ElementsAre("3+4:2", "9+1:1"));
  EXPECT_THAT(hints(5), ElementsAre("5+2:4", "9+1:1"));
  begin_with(*store, {{1, 9, LineKind::todo, 1}}, {});
  EXPECT_EQ(*reader()->repeats(1), nullptr);
}

TEST_F(StoredReuse, ARunWithoutAServerOfItsOwnHasTheEndpointOfTheLastOne) {
  auto store = open();
  begin_with(*store, {{1, 2, LineKind::todo, 1}}, {}, Hash128{1, 2});
  RunStart start;
  start.keep_stored_plan = true;
  start.same_endpoint = true;
  ASSERT_TRUE(store->begin_run(start).has_value());
  commit(*store, {succeeded(1, "a", "hello")});
  auto source = reader();
  const Hash128 request = succeeded(1, "a", "").request_hash;
  EXPECT_NE(*source->answers(Hash128{1, 2})->find(1, request), nullptr);
  EXPECT_EQ(*source->answers(Hash128{3, 4})->find(1, request), nullptr);
}

TEST_F(StoredReuse, AnItemThatTookAnAnswerOverPointsAtItsCall) {
  auto store = open();
  begin(*store, {{1, 3, LineKind::todo, 1}});
  commit(*store, {succeeded(1, "a", "hello"), taken_over(2, "b", 1)});
  commit(*store, {taken_over(3, "c", 2)});
  EXPECT_THAT(sql("select seq, state, attempts, last_attempt, cost_pico, cached, output from items"
                  " where seq > 1"),
              ElementsAre("2|3|0|1|0|1|hello", "3|3|0|1|0|1|hello"));
  EXPECT_THAT(sql("select count(*) from attempts"), ElementsAre("1"));
  EXPECT_THAT(sql("select cached, saved_input_tokens, saved_output_tokens, saved_pico,"
                  " saved_unpriced, attempts, input_tokens from progress"),
              ElementsAre("2|824|6|127200000|0|1|412"));
  const auto rows = results();
  EXPECT_TRUE(rows[2].result.cached);
  EXPECT_EQ(rows[2].result.model, "gpt-4o-mini-2024-07-18");
  EXPECT_EQ(rows[2].result.cost, Money());
  EXPECT_FALSE(rows[2].result.latency_ms);
  EXPECT_EQ(rows[2].attempt_id, 1);
  EXPECT_EQ(reader()->totals()->saved.cost, Money::from_pico(127'200'000));
}

TEST_F(StoredReuse, AnswersAreFoundByItemRequestAndEndpoint) {
  const Hash128 here = hash128("http://a");
  auto store = open();
  begin_with(*store, {{1, 3, LineKind::todo, 1}}, {}, here);
  commit(*store, {succeeded(1, "a", "hello"), failed(2, "b", 1, ItemState::failed)});
  auto source = reader();
  auto answers = source->answers(here);
  const auto found = *answers->find(1, hash128("request a"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->output, "hello");
  EXPECT_EQ(found->attempt_id, 1);
  EXPECT_EQ(found->cost, Money::from_pico(63'600'000));
  EXPECT_EQ(found->usage->input, 412);
  EXPECT_FALSE(*answers->find(1, hash128("request other")));
  EXPECT_FALSE(*answers->find(2, hash128("request b")));
  EXPECT_FALSE(*answers->find(3, hash128("request c")));
  EXPECT_FALSE(*source->answers(hash128("http://b"))->find(1, hash128("request a")));
  EXPECT_FALSE(*source->answers({})->find(1, hash128("request a")));
}

TEST_F(StoredReuse, WhatAReviewerAcceptedOrTookBackIsNotForOthers) {
  auto store = open();
  begin(*store, {{1, 2, LineKind::todo, 1}});
  commit(*store, {succeeded(1, "a", "hello"), succeeded(2, "b", "hello")});
  sql("update items set error_class = 7 where seq = 1");
  sql("update items set state = 0 where seq = 2");
  auto source = reader();
  auto answers = source->answers({});
  EXPECT_FALSE(*answers->find(1, hash128("request a")));
  EXPECT_FALSE(*answers->find(2, hash128("request b")));
}

TEST_F(StoredReuse, AnAnswerFromACacheFileIsStoredWithItsResponseButIsNoCall) {
  auto store = open();
  begin(*store, {{1, 2, LineKind::todo, 1}});
  ItemUpdate update = taken_over(1, "a", 0);
  auto answer = std::make_shared<ReusedAnswer>(*update.reused);
  answer->foreign = *succeeded(1, "a", "hello").attempt;
  answer->foreign->number = 0;
  answer->foreign->transmissions = 0;
  answer->foreign->cost = Money();
  update.reused = answer;
  commit(*store, {update, taken_over(2, "b", 1)});
  EXPECT_THAT(sql("select seq, number, transmissions, cost_pico, input_tokens from attempts"),
              ElementsAre("1|0|0|0|412"));
  EXPECT_THAT(sql("select seq, attempts, last_attempt, cached from items"),
              ElementsAre("1|0|1|1", "2|0|1|1"));
  EXPECT_THAT(
      sql("select attempts, retries, cached, input_tokens, cost_pico, unpriced from progress"),
      ElementsAre("0|0|2|0|0|0"));
  EXPECT_EQ(**reader()->response(1), "{\"output\":\"hello\"}");
}

}  // namespace
}  // namespace llmbatch::store_test
