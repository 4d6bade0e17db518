// Pieces of JSON that the item result and the run status share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "llmbatch/base/clock.h"
#include "llmbatch/model/usage.h"

namespace llmbatch {

void append_json_integer(std::string& out, std::int64_t value);
/// null when absent.
void append_json_integer(std::string& out, std::optional<std::int64_t> value);
/// null when absent or not finite.
void append_json_number(std::string& out, std::optional<double> value);
/// null when empty.
void append_json_text(std::string& out, std::string_view text);
void append_json_money(std::string& out, const std::optional<Money>& money);
void append_json_time(std::string& out, const std::optional<WallTime>& time);
void append_json_usage(std::string& out, const Usage& usage);

}  // namespace llmbatch
