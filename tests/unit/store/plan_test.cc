// The stored line plan: export order, resuming an unchanged input, items that are taken up again.
#include "store_fixture.h"

namespace llmbatch::store_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StoredPlan : public StoreTest {
 protected:
  static std::vector<LineRun> read_all(LineRunStream& stream) {
    std::vector<LineRun> runs;
    LineRun run;
    for (;;) {
      const auto more = stream.next(run);
      EXPECT_TRUE(more.has_value());
      if (!more || !*more) return runs;
      runs.push_back(run);
    }
  }
  static std::string text(const std::vector<LineRun>& runs) {
    std::string out;
    for (const LineRun& run : runs) {
      out += std::to_string(run.first_line) + "+" + std::to_string(run.count) + ":" +
             std::to_string(static_cast<int>(run.kind)) + "@" + std::to_string(run.first_seq) + " ";
    }
    return out;
  }
};

TEST_F(StoredPlan, LineMapComesBackFromAnyLine) {
  auto store = open();
  begin(*store, {{1, 10, LineKind::done, 50},
                 {11, 1, LineKind::blank, 0},
                 {12, 5, LineKind::todo, 7},
                 {20, 2, LineKind::invalid, 0}});
  auto from_start = reader();
  EXPECT_EQ(text(read_all(*from_start->line_map())), "1+10:3@50 11+1:0@0 12+5:1@7 20+2:5@0 ");
  EXPECT_EQ(text(read_all(*from_start->line_map(14))), "14+3:1@9 20+2:5@0 ");
  EXPECT_THAT(read_all(*from_start->line_map(22)), IsEmpty());
}

TEST_F(StoredPlan, LineMapOfManyRunsSpansRowsAndRewinds) {
  std::vector<LineRun> plan;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    plan.push_back({2 * i + 1, 1, LineKind::todo, 10'000 - i});
    plan.push_back({2 * i + 2, 1, LineKind::blank, 0});
  }
  auto store = open();
  begin(*store, plan);
  auto source = reader();
  auto stream = source->line_map();
  const std::string all = text(plan);
  EXPECT_EQ(text(read_all(*stream)), all);
  ASSERT_TRUE(stream->rewind().has_value());
  EXPECT_EQ(text(read_all(*stream)), all);
  plan.erase(plan.begin(), plan.begin() + 12'344);
  EXPECT_EQ(text(read_all(*source->line_map(12'345))), text(plan));
  EXPECT_FALSE((*source->last_input())->natural_order);
}

TEST_F(StoredPlan, InputOfTheLastScanIsKnown) {
  VectorStream<LineRun> plan({{1, 4, LineKind::todo, 1}});
  RunStart start;
  start.input = {"/data/t.jsonl", 0xFFFFFFFFFFFFFFFF, 2, 3000, -4, 5, hash128("ends")};
  start.plan = &plan;
  start.counts.lines = 9;
  start.counts.duplicates = 2;
  start.counts.done_by_state[static_cast<std::size_t>(ItemState::flagged)] = 3;
  auto store = open();
  EXPECT_FALSE(reader()->last_input()->has_value());
  ASSERT_TRUE(store->begin_run(start).has_value());
  const auto input = reader()->last_input();
  ASSERT_TRUE(input->has_value());
  EXPECT_EQ((*input)->identity, start.input);
  EXPECT_EQ((*input)->counts.lines, 9U);
  EXPECT_EQ((*input)->counts.duplicates, 2U);
  EXPECT_EQ((*input)->counts.done_by_state, start.counts.done_by_state);
  EXPECT_TRUE((*input)->has_line_map);
  EXPECT_TRUE((*input)->natural_order);
  EXPECT_FALSE((*input)->known_place.has_value());
}

TEST_F(StoredPlan, UnchangedInputResumesBehindWhatIsDone) {
  auto store = open();
  begin(*store, {{1, 10, LineKind::todo, 1}});
  commit(*store,
         {succeeded(1, "a", ""), succeeded(2, "b", ""), succeeded(4, "d", ""),
          succeeded(5, "e", ""), failed(6, "f", 1, ItemState::pending)},
         3);
  store.reset();
  store = open();
  auto source = reader();
  EXPECT_EQ((*source->last_input())->done_below_line, 3U);
  EXPECT_EQ((*source->last_input())->known_place->line, 2U);
  EXPECT_EQ((*source->last_input())->known_place->offset_bytes, 200U);
  EXPECT_EQ(text(read_all(*source->remaining_plan(3))), "3+1:1@3 4+2:3@4 6+1:2@6 7+4:1@7 ");
  EXPECT_THAT(*source->done_lines_from(3), ElementsAre(4U, 5U));
}

TEST_F(StoredPlan, RemainingPlanOfManyScatteredRowsAddsUp) {
  auto store = open();
  begin(*store, {{1, 5000, LineKind::todo, 1}});
  std::vector<ItemUpdate> updates;
  for (std::uint64_t seq = 1; seq <= 5000; ++seq) {
    if (seq % 3 != 0) updates.push_back(succeeded(seq, std::to_string(seq), ""));
  }
  commit(*store, updates);
  std::uint64_t next_line = 1;
  std::uint64_t done = 0;
  auto source = reader();
  for (const LineRun& run : read_all(*source->remaining_plan(1))) {
    EXPECT_EQ(run.first_line, next_line);
    EXPECT_EQ(run.first_seq, next_line);
    for (std::uint64_t i = 0; i < run.count; ++i) {
      EXPECT_EQ(run.kind == LineKind::done, (run.first_seq + i) % 3 != 0);
    }
    if (run.kind == LineKind::done) done += run.count;
    next_line += run.count;
  }
  EXPECT_EQ(next_line, 5001U);
  EXPECT_EQ(done, updates.size());
  EXPECT_EQ(source->done_lines_from(1)->size(), updates.size());
}

TEST_F(StoredPlan, KeepingThePlanKeepsLinesAndInvalidLines) {
  auto store = open();
  begin(*store, {{1, 1, LineKind::todo, 1}, {2, 1, LineKind::invalid, 0}},
        {{2, 100, "", "not a JSON object", "hello"}});
  RunStart start;
  start.keep_stored_plan = true;
  start.progress.done_below_line = 2;
  ASSERT_EQ(*store->begin_run(start), 2);
  auto source = reader();
  EXPECT_EQ(text(read_all(*source->line_map())), "1+1:1@1 2+1:5@0 ");
  EXPECT_EQ((*source->last_input())->done_below_line, 2U);
  EXPECT_EQ((*source->last_input())->identity.path, "/data/t.jsonl");
  EXPECT_THAT(result_ids(), ElementsAre("-"));
}

TEST_F(StoredPlan, ScanReplacesInvalidLines) {
  auto store = open();
  begin(*store, {{1, 2, LineKind::invalid, 0}},
        {{1, 0, "", "not a JSON object", "x"}, {2, 2, "b", "duplicate id", "y"}});
  EXPECT_THAT(result_ids(), ElementsAre("-", "b"));
  begin(*store, {{1, 1, LineKind::todo, 1}, {2, 1, LineKind::invalid, 0}},
        {{2, 2, "b", "duplicate id", "\xff"}});
  EXPECT_THAT(result_ids(), ElementsAre("b"));
  const auto rows = results();
  EXPECT_EQ(rows[0].input, "\xff");
  EXPECT_EQ(rows[0].result.error, ErrorClass::invalid_input);
  EXPECT_EQ(rows[0].result.error_message, "duplicate id");
}

TEST_F(StoredPlan, ExportFollowsTheLinesWithInvalidOnesInTheirPlace) {
  auto store = open();
  begin(*store,
        {{1, 2, LineKind::todo, 1}, {3, 1, LineKind::invalid, 0}, {4, 1, LineKind::todo, 3}},
        {{3, 9, "", "not a JSON object", "x"}});
  commit(*store, {succeeded(3, "c", ""), succeeded(1, "a", ""), succeeded(2, "b", "")});
  EXPECT_THAT(result_ids(), ElementsAre("a", "b", "-", "c"));
  EXPECT_EQ(results()[3].result.place.line, 4U);
}

TEST_F(StoredPlan, ExportOfAReorderedFileFollowsItsNewLines) {
  auto store = open();
  begin(*store, {{1, 3, LineKind::todo, 1}});
  commit(*store, {succeeded(1, "a", ""), succeeded(2, "b", ""), succeeded(3, "c", "")});
  begin(*store, {{1, 1, LineKind::done, 3}, {2, 1, LineKind::done, 1}, {3, 1, LineKind::done, 2}});
  EXPECT_THAT(result_ids(), ElementsAre("c", "a", "b"));
  const auto rows = results();
  EXPECT_EQ(rows[0].result.place.line, 1U);
  EXPECT_EQ(rows[0].result.place.length_bytes, 0U);
  EXPECT_FALSE((*reader()->last_input())->natural_order);
}

TEST_F(StoredPlan, RemovedItemsComeLastOrNotAtAll) {
  auto store = open();
  begin(*store, {{1, 4, LineKind::todo, 1}});
  commit(*store, {succeeded(1, "a", ""), succeeded(2, "b", ""), succeeded(3, "c", ""),
                  succeeded(4, "d", "")});
  begin(*store, {{1, 1, LineKind::done, 2}, {2, 1, LineKind::done, 4}});
  EXPECT_THAT(result_ids(), ElementsAre("b", "d", "a", "c"));
  EXPECT_FALSE(results()[2].in_input);
  EXPECT_EQ(results()[2].result.place.line, 0U);
  EXPECT_THAT(result_ids({{}, false}), ElementsAre("b", "d"));
}

TEST_F(StoredPlan, FilterChoosesStatesPendingIncluded) {
  auto store = open();
  begin(*store, {{1, 3, LineKind::todo, 1}, {4, 1, LineKind::invalid, 0}},
        {{4, 9, "z", "not a JSON object", "x"}});
  commit(*store, {succeeded(1, "a", ""), failed(2, "b", 6, ItemState::failed),
                  failed(3, "c", 1, ItemState::pending)});
  EXPECT_THAT(result_ids({{ItemState::failed}, true}), ElementsAre("b"));
  EXPECT_THAT(result_ids({{ItemState::pending, ItemState::invalid}, true}), ElementsAre("c", "z"));
  EXPECT_THAT(result_ids(), ElementsAre("a", "b", "z"));
}

TEST_F(StoredPlan, VisitorStopsTheWalkOrFailsIt) {
  auto store = open();
  begin(*store, {{1, 3, LineKind::todo, 1}});
  commit(*store, {succeeded(1, "a", ""), succeeded(2, "b", ""), succeeded(3, "c", "")});
  auto source = reader();
  int seen = 0;
  EXPECT_TRUE(
      source->for_each_result({}, [&](const ResultRow&) -> Result<bool> { return ++seen < 2; })
          .has_value());
  EXPECT_EQ(seen, 2);
  const Status failed_walk = source->for_each_result(
      {}, [&](const ResultRow&) -> Result<bool> { return failure("stdout: broken pipe"); });
  ASSERT_FALSE(failed_walk.has_value());
  EXPECT_EQ(failed_walk.error().message, "stdout: broken pipe");
  EXPECT_EQ(result_ids().size(), 3U);
}

TEST_F(StoredPlan, StreamWithoutPlanIsExportedInOrderOfSight) {
  auto store = open();
  RunStart start;
  start.input.path = "-";
  ASSERT_TRUE(store->begin_run(start).has_value());
  commit(*store, {succeeded(2, "b", ""), succeeded(1, "a", "")});
  ASSERT_TRUE(store->add_invalid_line({3, 0, "", "not a JSON object", "x"}).has_value());
  EXPECT_THAT(result_ids(), ElementsAre("a", "b", "-"));
  EXPECT_EQ(reader()->count_states()->total(), 3);
}

TEST_F(StoredPlan, ItemsTakenUpAgainArePendingAndKeepTheirAttempts) {
  auto store = open();
  begin(*store, {{1, 3, LineKind::todo, 1}});
  commit(*store,
         {succeeded(1, "a", "x"), failed(2, "b", 6, ItemState::failed), succeeded(3, "c", "z")});
  begin(*store, {{1, 1, LineKind::done, 1}, {2, 2, LineKind::todo_again, 2}});
  EXPECT_THAT(result_ids(), ElementsAre("a"));
  EXPECT_EQ(*reader()->attempts_of(2), 6U);
  EXPECT_EQ(reader()->count_states()->by_state,
            (std::array<std::int64_t, kItemStateCount>{2, 0, 0, 1}));
  const auto records = index_records();
  ASSERT_EQ(records.size(), 5U);
  EXPECT_EQ(records[3].seq, 2U);
  EXPECT_EQ(records[3].state, ItemState::pending);
  EXPECT_EQ(records[3].id_hash, hash128("b"));
  EXPECT_EQ(records[3].request_hash, hash128("request b"));

  ItemUpdate changed = succeeded(3, "c", "new");
  changed.request_hash = hash128("changed request");
  changed.attempts = 2;
  changed.attempt->number = 2;
  commit(*store, {changed});
  const auto rows = results();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].result.output, "new");
  EXPECT_EQ(rows[1].request_hash, hash128("changed request"));
  EXPECT_THAT(sql("select number from attempt_log where id = 'c' order by attempt_id"),
              ElementsAre("1", "2"));
}

TEST_F(StoredPlan, FailedScanLeavesTheOldPlan) {
  class Broken final : public LineRunStream {
    Result<bool> next(LineRun&) override { return failure("plan.tmp: read error"); }
    Status rewind() override { return {}; }
  };
  auto store = open();
  begin(*store, {{1, 3, LineKind::todo, 1}});
  Broken broken;
  RunStart start;
  start.plan = &broken;
  EXPECT_EQ(store->begin_run(start).error().message, "plan.tmp: read error");
  auto source = reader();
  EXPECT_EQ(text(read_all(*source->line_map())), "1+3:1@1 ");
  EXPECT_EQ(*source->last_run_number(), 1);
}

TEST_F(StoredPlan, CountsAndErrorTallySpeakOfTheInput) {
  auto store = open();
  begin(*store, {{1, 5, LineKind::todo, 1}, {6, 1, LineKind::invalid, 0}},
        {{6, 9, "", "not a JSON object", "x"}});
  ItemUpdate filtered = failed(4, "d", 1, ItemState::filtered);
  filtered.error = ErrorClass::content_policy;
  filtered.error_message = "no\x1b[31m";
  commit(*store, {succeeded(1, "a", ""), failed(2, "b", 6, ItemState::failed),
                  failed(3, "c", 6, ItemState::failed), filtered});
  EXPECT_EQ(reader()->count_states()->by_state,
            (std::array<std::int64_t, kItemStateCount>{1, 0, 0, 1, 1, 0, 2, 1}));
  const auto tally = reader()->error_tally(2);
  ASSERT_EQ(tally->size(), 2U);
  EXPECT_EQ((*tally)[0].error_class, "server_error");
  EXPECT_EQ((*tally)[0].count, 2);
  EXPECT_EQ((*tally)[0].message, "the server had an error");
  EXPECT_EQ((*tally)[1].error_class, "content_policy");
  EXPECT_EQ((*tally)[1].message.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace llmbatch::store_test
