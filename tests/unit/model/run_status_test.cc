#include "llmbatch/model/run_status.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace llmbatch {
namespace {

using namespace std::chrono_literals;

RunStatus full_status() {
  RunStatus status;
  status.database = "tickets.db";
  status.input = "tickets.jsonl";
  status.model = "gpt-4o-mini";
  status.running = true;
  status.pid = 4711;
  status.run_number = 3;
  status.items.by_state = {1, 2, 3, 40, 5, 6, 7, 8};
  status.duplicates = 9;
  status.attempts = 80;
  status.retries = 10;
  status.cached = 11;
  status.usage = Usage{.input = 100,
                       .cached_input = 20,
                       .cache_write = 5,
                       .output = 30,
                       .reasoning = 12,
                       .estimated = true,
                       .reported_cost = Money::from_pico(77)};
  status.spent = Money::parse_dollars("3.42");
  status.projected = Money::parse_dollars("225");
  status.saved = Money::parse_dollars("0.0000636");
  status.per_item = Money::parse_dollars("0.0045");
  status.known_cost = *Money::parse_dollars("3.42");
  status.unpriced = 2;
  status.requests_per_minute = 480.5;
  status.tokens_per_minute = 120000;
  status.eta_seconds = 12.25;
  status.waiting_for = "tpm limit, 12 s";
  status.error_rate = 0.015;
  status.started_at = parse_rfc3339("2026-11-23T02:14:07.123Z");
  status.updated_at = from_unix_nanos(1'795'400'047'123'456'789);
  status.pause_reason = "quota exhausted";
  status.errors = {{"server_error", "try later", 4}, {"timeout", "after 60 s", 2}};
  status.batches = {
      {.number = 3,
       .provider_id = "msgbatch_x",
       .state = "in_progress",
       .requests = 10000,
       .done = 4210,
       .submitted_at = parse_rfc3339("2026-11-23T02:10:00.000Z"),
       .expires_at = parse_rfc3339("2026-11-24T02:10:00.000Z")},
      {.number = 4,
       .provider_id = "",
       .state = "ready",
       .requests = 7,
       .done = {},
       .submitted_at = {},
       .expires_at = {}},
  };
  status.finished_this_run = 21;
  status.collected_this_run = 20;
  status.done_before = 45;
  status.elapsed = 90s + 1ns;
  status.concurrency = 64;
  return status;
}

TEST(StateCounts, SumsByKind) {
  const StateCounts items = full_status().items;
  EXPECT_EQ(items.total(), 72);
  EXPECT_EQ(items.finished(), 66);
  EXPECT_EQ(items.problems(), 26);
  EXPECT_EQ(StateCounts{}.total(), 0);
}

TEST(RunStatusJson, NamesAndTheirOrderAreFixed) {
  EXPECT_EQ(
      to_json(full_status()),
      R"({"database":"tickets.db","model":"gpt-4o-mini","running":true,)"
      R"("items":{"total":72,"pending":1,"in_flight":2,"submitted":3,"succeeded":40,"filtered":5,)"
      R"("flagged":6,"failed":7,"invalid":8},"attempts":80,"retries":10,)"
      R"("usage":{"input_tokens":100,"cached_input_tokens":20,"cache_write_tokens":5,)"
      R"("output_tokens":30,"reasoning_tokens":12,"estimated":true},)"
      R"("cost_usd":{"spent":3.42,"projected":225,"saved":0.0000636,"per_item":0.0045},)"
      R"("rate":{"requests_per_minute":480.5,"tokens_per_minute":120000},"eta_seconds":12.25,)"
      R"("waiting_for":"tpm limit, 12 s","error_rate":0.015,"cached":11,)"
      R"("started_at":"2026-11-23T02:14:07.123Z","pause_reason":"quota exhausted",)"
      R"("batches":[{"number":3,"provider_id":"msgbatch_x","state":"in_progress",)"
      R"("requests":10000,"done":4210,"submitted_at":"2026-11-23T02:10:00.000Z",)"
      R"("expires_at":"2026-11-24T02:10:00.000Z"},)"
      R"({"number":4,"provider_id":null,"state":"ready","requests":7,"done":null,)"
      R"("submitted_at":null,"expires_at":null}]})");
}

TEST(RunStatusJson, WhatIsUnknownIsNull) {
  EXPECT_EQ(
      to_json(RunStatus{}),
      R"({"database":null,"model":null,"running":false,)"
      R"("items":{"total":0,"pending":0,"in_flight":0,"submitted":0,"succeeded":0,"filtered":0,)"
      R"("flagged":0,"failed":0,"invalid":0},"attempts":0,"retries":0,)"
      R"("usage":{"input_tokens":0,"cached_input_tokens":0,"cache_write_tokens":0,)"
      R"("output_tokens":0,"reasoning_tokens":0,"estimated":false},)"
      R"("cost_usd":{"spent":null,"projected":null,"saved":null,"per_item":null},)"
      R"("rate":{"requests_per_minute":null,"tokens_per_minute":null},"eta_seconds":null,)"
      R"("waiting_for":null,"error_rate":null,"cached":0,"started_at":null,"pause_reason":null,)"
      R"("batches":[]})");
}

TEST(RunStatusJson, NumbersThatJsonCannotHoldAreNull) {
  RunStatus status;
  status.eta_seconds = std::numeric_limits<double>::infinity();
  status.error_rate = std::numeric_limits<double>::quiet_NaN();
  const auto json = nlohmann::json::parse(to_json(status));
  EXPECT_TRUE(json["eta_seconds"].is_null());
  EXPECT_TRUE(json["error_rate"].is_null());
}

TEST(RunStatusJson, MembersAreTheObjectWithoutBraces) {
  EXPECT_EQ('{' + to_json_members(full_status()) + '}', to_json(full_status()));
}

TEST(RunStatusStorage, EverythingComesBack) {
  const RunStatus stored = full_status();
  const auto status = from_storage_json(to_storage_json(stored));
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(to_json(*status), to_json(stored));
  EXPECT_EQ(status->input, "tickets.jsonl");
  EXPECT_EQ(status->pid, 4711);
  EXPECT_EQ(status->run_number, 3);
  EXPECT_EQ(status->items.by_state, stored.items.by_state);
  EXPECT_EQ(status->duplicates, 9);
  EXPECT_EQ(status->usage, stored.usage);
  EXPECT_EQ(status->known_cost, stored.known_cost);
  EXPECT_EQ(status->unpriced, 2);
  EXPECT_EQ(status->started_at, stored.started_at);
  EXPECT_EQ(status->updated_at, stored.updated_at);
  EXPECT_EQ(status->finished_this_run, 21);
  EXPECT_EQ(status->collected_this_run, 20);
  EXPECT_EQ(status->done_before, 45);
  EXPECT_EQ(status->elapsed, stored.elapsed);
  EXPECT_EQ(status->concurrency, 64);
  ASSERT_EQ(status->errors.size(), 2U);
  EXPECT_EQ(status->errors[0].error_class, "server_error");
  EXPECT_EQ(status->errors[0].message, "try later");
  EXPECT_EQ(status->errors[0].count, 4);
  EXPECT_EQ(status->errors[1].error_class, "timeout");
  ASSERT_EQ(status->batches.size(), 2U);
  EXPECT_EQ(status->batches[0].submitted_at, stored.batches[0].submitted_at);
  EXPECT_EQ(status->batches[0].expires_at, stored.batches[0].expires_at);
  EXPECT_EQ(status->batches[1].done, std::nullopt);
}

TEST(RunStatusStorage, WhatIsAbsentStaysAbsent) {
  const auto status = from_storage_json(to_storage_json(RunStatus{}));
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->spent, std::nullopt);
  EXPECT_EQ(status->eta_seconds, std::nullopt);
  EXPECT_EQ(status->started_at, std::nullopt);
  EXPECT_EQ(status->usage.reported_cost, std::nullopt);
  EXPECT_TRUE(status->errors.empty());
  EXPECT_EQ(to_json(*status), to_json(RunStatus{}));
}

TEST(RunStatusStorage, MissingMembersAreThoseOfAnOlderVersion) {
  const auto status = from_storage_json(R"({"model":"m","new_member":[1]})");
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->model, "m");
  EXPECT_EQ(status->attempts, 0);
}

TEST(RunStatusStorage, DamagedTextIsAbsent) {
  for (const char* text : {"", "{", "[]", "null", R"({"model":1})", R"({"items":3})",
                           R"({"usage":"x"})", R"({"errors":[1]})", R"({"errors":{"a":1}})",
                           R"({"batches":{}})", R"({"batches":[{"number":"x"}]})"}) {
    EXPECT_FALSE(from_storage_json(text).has_value()) << text;
  }
}

TEST(RunStatusStorage, InvalidUtf8DoesNotThrow) {
  RunStatus status;
  status.pause_reason = "a\xFF";
  const auto stored = from_storage_json(to_storage_json(status));
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->pause_reason, "a\uFFFD");
}

}  // namespace
}  // namespace llmbatch
