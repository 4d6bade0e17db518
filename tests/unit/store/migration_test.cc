// A database of the first released version, opened by this one.
#include "../../../src/store/packed_records.h"
#include "schema_version_1.h"
#include "store_fixture.h"

namespace llmbatch::store_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(byte) >> 4U];
    text += kDigits[static_cast<unsigned char>(byte) & 15U];
  }
  return text;
}

class MigrationFrom1 : public StoreTest {
 protected:
  /// One item that succeeded at its second call, one that failed, one that was never begun.
  void make_database() const {
    sql("pragma page_size = 8192; pragma journal_mode = wal; pragma application_id = 1280068930;" +
        std::string(kSchema1Tables) + kSchema1Views + "pragma user_version = 1;");
    const std::string a = "x'" + to_hex(hash128("a")) + "', x'" + to_hex(hash128("request a"));
    const std::string b = "x'" + to_hex(hash128("b")) + "', x'" + to_hex(hash128("request b"));
    sql("insert into runs (number, started_ms, command, version, pid, input_path, input_size_bytes,"
        " input_mtime_nanos, input_lines) values (1, 5, 'llmbatch run t', '0.1', 7, 't', 9, 9, 3);"
        "insert into attempts values (1, 1, 1, 1, 1000, 20000, 500, 3, 1, null, null, null, null,"
        " null, null, null, null, null, null, null, null, 'try later', 0, x'7b7d'),"
        " (2, 1, 1, 2, 1900, 812000, 200, 0, 1, 412, 0, 0, 3, 0, 0, null, 63600000, 'm', 'stop',"
        " 'req_1', null, null, 0, x'7b2261223a317d'),"
        " (3, 2, 1, 1, 2000, 7000, 500, 3, 1, null, null, null, null, null, null, null, null, null,"
        " null, null, null, 'broken', 0, null);"
        "insert into items values (1, 3, 0, 200, 2, 2, 63600000, 0, 0, 2712, 1, 0, 99, " +
        a + "', 'a', null, 'billing', null), (2, 6, 3, 500, 1, 3, null, 0, 0, 2007, 2, 100, 99, " +
        b + "', 'b', null, null, null);");
    IndexRecordPacker log;
    log.add({hash128("a"), hash128("request a"), 1, ItemState::succeeded});
    log.add({hash128("b"), hash128("request b"), 2, ItemState::failed});
    LineRunPacker plan;
    plan.add({1, 3, LineKind::todo, 1});
    sql("insert into item_log values (1, 0, x'" + hex(log.bytes()) + "');" +
        "insert into line_map values (1, x'" + hex(plan.bytes()) + "');" +
        "insert into input values (1, 1, 't', 1, 2, 300, 4, 5, zeroblob(16), 1, 1, 3, 0, 3, 0, 0, "
        "0,"
        " 0, 0, 0, 0, 0);" +
        "update progress set attempts = 3, retries = 1, succeeded = 1, failed = 1, pending = 1,"
        " input_tokens = 412, output_tokens = 3, cost_pico = 63600000, limiter_state = x'0102';" +
        "insert into verdicts values (1, 1, x'" + to_hex(hash128("request a")) +
        "', 2, 3, 1, 1, null, 3000, 'ann', 'fine')");
  }
};

TEST_F(MigrationFrom1, KeepsEveryRow) {
  make_database();
  const auto old_attempts = sql("select id, seq, latency_us, hex(response) from attempts");
  ASSERT_EQ(old_attempts.size(), 3U);
  ASSERT_NE(open(), nullptr);
  EXPECT_THAT(sql("pragma user_version"), ElementsAre("2"));
  EXPECT_THAT(sql("pragma integrity_check"), ElementsAre("ok"));
  EXPECT_EQ(sql("select id, seq, latency_us, hex(response) from attempts"), old_attempts);
  EXPECT_THAT(sql("select count(*) from attempts where batch is not null"), ElementsAre("0"));
  EXPECT_THAT(sql("select id, state, output, latency_ms, attempts from results order by seq"),
              ElementsAre("a|succeeded|billing|812|2", "b|failed|NULL|7|1"));
  EXPECT_THAT(sql("select id, verdict, is_current from reviews"), ElementsAre("a|good|1"));
  EXPECT_THAT(result_ids(), ElementsAre("a", "b"));
  EXPECT_EQ(index_records().size(), 2U);
  const auto counts = reader()->count_states();
  ASSERT_TRUE(counts.has_value());
  EXPECT_EQ((*counts)[ItemState::pending], 1);
  EXPECT_EQ(reader()->totals()->cost.pico(), 63'600'000);
  EXPECT_EQ(*reader()->limiter_state(), "\x01\x02");
  EXPECT_TRUE(reader()->batches()->empty());
}

TEST_F(MigrationFrom1, LeavesTheColumnsOfANewDatabase) {
  const std::string columns =
      "select m.name, (select group_concat(name || ' ' || type, ',') from"
      " (select name, type from pragma_table_info(m.name) order by name))"
      " from sqlite_schema m where type in ('table', 'view') order by m.name";
  open().reset();
  const auto fresh = sql(columns);
  std::filesystem::remove(path_);
  make_database();
  EXPECT_NE(sql(columns), fresh);
  open().reset();
  EXPECT_EQ(sql(columns), fresh);
}

TEST_F(MigrationFrom1, WhatFollowsIsWrittenBesideTheOldRows) {
  make_database();
  auto store = open();
  ItemUpdate update = succeeded(3, "c", "refund");
  update.attempt->batch = 1;
  commit(*store, {update});
  EXPECT_EQ(store->totals().attempts, 4);
  EXPECT_THAT(sql("select id, batch, response from attempts where id > 2"),
              ElementsAre("3|NULL|NULL", "4|1|{\"output\":\"refund\"}"));
  EXPECT_THAT(result_ids(), ElementsAre("a", "b", "c"));
}

TEST_F(MigrationFrom1, IsLeftToTheNextRunByReaders) {
  make_database();
  const auto early = StoreReader::open(path_);
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().kind, ErrorKind::mismatch);
  EXPECT_THAT(early.error().message, HasSubstr("schema 1"));
  EXPECT_THAT(sql("pragma user_version"), ElementsAre("1"));
}

}  // namespace
}  // namespace llmbatch::store_test
