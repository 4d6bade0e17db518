// What a database keeps of a job's past, row by row: what the report adds up. Plain data. Views
// are valid until the next row.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "llmbatch/base/clock.h"
#include "llmbatch/model/item.h"
#include "llmbatch/model/outcome.h"

namespace llmbatch {

/// One invocation.
struct RunRecord {
  std::int64_t number = 0;
  WallTime started_at{};
  std::optional<WallTime> finished_at;  ///< absent: still running, or killed
  std::string command;
  std::string end_reason;  ///< empty: see finished_at
  std::optional<std::int64_t> exit_code;
  std::optional<std::int64_t> finished_items;
  std::optional<std::int64_t> requests_per_minute;  ///< the limit that was set
  std::optional<std::int64_t> tokens_per_minute;
};

/// One HTTP call, or one answer of a provider batch.
struct AttemptFacts {
  std::int64_t run = 0;
  std::int64_t number = 1;  ///< of its item, from 1
  std::int64_t started_ms = 0;
  std::int64_t latency_us = 0;
  std::int64_t batch = 0;  ///< that it came with, whose time `latency_us` is; 0: a call of its own
  int http_status = 0;     ///< 0: no HTTP answer
  ErrorClass error = ErrorClass::none;
  std::optional<Usage> usage;
  std::optional<Money> cost;
  std::string_view model;
  std::string_view error_message;
};

/// One item that was attempted or finished.
struct ItemFacts {
  ItemState state = ItemState::pending;
  ErrorClass error = ErrorClass::none;
  std::int64_t attempts = 0;
  bool cached = false;
  bool in_batch = false;  ///< its last attempt came with a provider batch
  std::optional<std::int64_t> finished_ms;
};

/// An item that did not succeed, with what helps to see why. Texts are cut to a few thousand bytes.
struct ProblemSample {
  std::string id;
  bool has_id = true;
  InputPlace place;  ///< when it was last sent; line 0: unknown
  Hash128 request_hash;
  ItemState state = ItemState::failed;
  ErrorClass error = ErrorClass::none;
  int http_status = 0;
  std::int64_t attempts = 0;
  std::string message;
  std::string finish_reason;
  std::optional<std::string> output;
  std::optional<std::string> input;     ///< where the database holds it
  std::optional<std::string> response;  ///< raw, where there is no output
};

}  // namespace llmbatch
