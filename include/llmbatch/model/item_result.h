// One item's result as the world sees it: a line of `export`, an `item_finished` event. Field names
// of the JSON form are a promise (README, Output).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "llmbatch/base/clock.h"
#include "llmbatch/model/item.h"
#include "llmbatch/model/outcome.h"

namespace llmbatch {

struct ItemResult {
  std::string id;
  bool has_id = true;  ///< false: invalid line without a usable id; `id` is null
  ItemState state = ItemState::pending;
  std::uint64_t seq = 0;
  InputPlace place;
  std::optional<std::string> output;
  bool output_is_json = false;
  ErrorClass error = ErrorClass::none;
  int http_status = 0;
  std::string error_message;
  std::string model;
  std::optional<Usage> usage;
  std::optional<Money> cost;  ///< all attempts; absent: unknown
  std::uint32_t attempts = 0;
  std::optional<std::int64_t> latency_ms;  ///< of the last attempt
  std::string finish_reason;
  std::string provider_request_id;
  bool cached = false;
  std::optional<WallTime> finished_at;
};

/// Names of the JSON members, in order: `id`, `state`, `output`, ...
const std::vector<std::string>& item_result_fields();

/// Appends the JSON members without braces, only those in `fields` (empty: all), in their order.
void append_json_members(std::string& out, const ItemResult& result,
                         const std::vector<std::string>& fields = {});

/// The whole object on one line, without a newline.
std::string to_json(const ItemResult& result);

}  // namespace llmbatch
