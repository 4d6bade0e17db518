// Persistent names and numbers, and what people see who open the file with other tools.
#include "../../../src/store/schema.h"

#include "../../../src/store/response_codec.h"
#include "store_fixture.h"

namespace llmbatch::store_test {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

class Schema : public StoreTest {};

TEST_F(Schema, IdentityOfTheFile) {
  open().reset();
  EXPECT_THAT(sql("pragma application_id"), ElementsAre("1280068930"));
  EXPECT_THAT(sql("pragma user_version"), ElementsAre("2"));
  EXPECT_THAT(sql("pragma journal_mode"), ElementsAre("wal"));
  EXPECT_EQ(file_bytes().substr(68, 4), "LLMB");
  EXPECT_EQ(static_cast<int>(ResponseEncoding::plain), 0);
  EXPECT_EQ(static_cast<int>(ResponseEncoding::zstd), 1);
}

TEST_F(Schema, NamesOfTablesAndColumns) {
  open().reset();
  EXPECT_THAT(
      sql("select m.name || ': ' || (select group_concat(name, ' ') from pragma_table_info(m.name))"
          " from sqlite_schema m where type in ('table', 'view') order by type, m.name"),
      ElementsAre(
          "attempts: id seq run number started_ms latency_us http_status error_class transmissions"
          " input_tokens cached_input_tokens cache_write_tokens output_tokens reasoning_tokens"
          " usage_estimated reported_cost_pico cost_pico model finish_reason request_id batch "
          "error_code"
          " error_message response_encoding response",
          "batches: number run stage remote_state call_begun_ms tag model url requests bytes"
          " first_seq last_seq file_path input_file remote_id remote_total remote_succeeded"
          " remote_failed queue_full cancel_asked other_ids key_hash reserved_pico answered"
          " unanswered created_ms submitted_ms expires_ms ended_ms collected_ms message",
          "input: id run path device inode size_bytes mtime_nanos ctime_nanos ends has_line_map"
          " natural_order lines blank todo changed duplicates invalid done_succeeded done_filtered"
          " done_flagged done_failed done_invalid",
          "invalid_lines: line offset_bytes id message content", "item_log: id merged data",
          "items: seq state error_class http_status attempts last_attempt cost_pico cached"
          " output_is_json finished_ms line offset_bytes length_bytes id_hash request_hash id"
          " error_message output input",
          "job: id wire_format profile model prompt_template system_template id_rule parameters "
          "checks",
          "line_map: first_line data", "line_repeats: first_line data",
          "progress: id done_below_line pending in_flight submitted succeeded filtered flagged"
          " failed invalid attempts retries cached input_tokens cached_input_tokens"
          " cache_write_tokens output_tokens reasoning_tokens cost_pico unpriced estimated"
          " cost_ceiling_pico saved_input_tokens saved_output_tokens saved_pico"
          " saved_unpriced limiter_state"
          " counted_input_mean reported_input_mean input_samples output_mean output_samples",
          "runs: number started_ms finished_ms command version pid input_path input_size_bytes"
          " input_mtime_nanos input_lines end_reason exit_code finished_items attempts cost_pico "
          "rpm tpm endpoint",
          "status: id updated_ms json",
          "submissions: seq batch position tries own_model changed reask retries timeouts malformed"
          " truncated rate_limited request_hash",
          "verdicts: id seq request_hash attempt state verdict sampled applied time_ms reviewer"
          " note",
          "attempt_log: attempt_id id number run started_at latency_ms batch http_status error"
          " error_code"
          " error_message model finish_reason provider_request_id input_tokens cached_input_tokens"
          " cache_write_tokens output_tokens reasoning_tokens usage_estimated cost_usd"
          " transmissions seq",
          "batch_log: number run stage provider_state provider_id model requests answered"
          " unanswered submitted_at ended_at collected_at message",
          "results: id state output error error_message http_status model input_tokens"
          " cached_input_tokens cache_write_tokens output_tokens reasoning_tokens cost_usd attempts"
          " latency_ms finish_reason provider_request_id cached finished_at line seq",
          "reviews: id verdict note reviewer judged_at is_current sampled applied seq"));
}

TEST_F(Schema, StatesAndErrorClassesAreStoredAsTheseNumbers) {
  auto store = open();
  begin(*store, {{1, 40, LineKind::todo, 1}});
  std::vector<ItemUpdate> updates;
  std::vector<std::string> classes;
  for (int number = 1; number <= 20; ++number) {
    const auto seq = static_cast<std::uint64_t>(number);
    ItemUpdate update = failed(seq, std::to_string(number), 1, ItemState::failed);
    update.error = static_cast<ErrorClass>(number);
    update.attempt->error = update.error;
    updates.push_back(update);
    classes.push_back(std::to_string(number) + "|" + std::string(to_string(update.error)));
  }
  commit(*store, updates);
  EXPECT_THAT(sql("select error_class, error from results join items using (seq) order by seq"),
              ElementsAreArray(classes));
  EXPECT_THAT(sql("select seq, error from attempt_log order by seq"), ElementsAreArray(classes));
  EXPECT_EQ(classes[0], "1|rate_limited");
  EXPECT_EQ(classes[19], "20|check_failed");

  updates.clear();
  for (const ItemState state : {ItemState::succeeded, ItemState::filtered, ItemState::flagged,
                                ItemState::failed, ItemState::invalid}) {
    const auto seq = 30 + static_cast<std::uint64_t>(state);
    updates.push_back(succeeded(seq, std::string(to_string(state)), "x"));
    updates.back().state = state;
  }
  commit(*store, updates);
  EXPECT_THAT(sql("select r.id, r.state, i.state from results r join items i using (seq)"
                  " where seq > 30 order by seq"),
              ElementsAre("succeeded|succeeded|3", "filtered|filtered|4", "flagged|flagged|5",
                          "failed|failed|6", "invalid|invalid|7"));
}

TEST_F(Schema, ResultsViewReadsLikeTheExport) {
  auto store = open();
  begin(*store, {{1, 2, LineKind::todo, 1}, {3, 1, LineKind::invalid, 0}},
        {{3, 9, "", "not a JSON object", "x"}});
  commit(*store, {succeeded(1, "t-1", "billing"), failed(2, "t-2", 6, ItemState::failed)});
  EXPECT_THAT(
      sql("select * from results order by line"),
      ElementsAre("t-1|succeeded|billing|NULL|NULL|200|gpt-4o-mini-2024-07-18|412|0|0|3|0|6.36e-05"
                  "|1|812|stop|req_t-1|0|" +
                      format_rfc3339(kNow) + "|1|1",
                  "t-2|failed|NULL|server_error|the server had an error|500|NULL|NULL|NULL|NULL|"
                  "NULL|NULL|NULL|6|812|NULL|req_t-2|0|" +
                      format_rfc3339(kNow) + "|2|2",
                  "NULL|invalid|NULL|invalid_input|not a JSON object|NULL|NULL|NULL|NULL|NULL|NULL|"
                  "NULL|NULL|0|NULL|NULL|NULL|0|NULL|3|NULL"));
}

TEST_F(Schema, ProblemsAreFoundByTheirIndex) {
  open().reset();
  EXPECT_THAT(sql("explain query plan select * from items where state = 6 and state <> 3"),
              ElementsAre(testing::HasSubstr("items_problems")));
}

}  // namespace
}  // namespace llmbatch::store_test
