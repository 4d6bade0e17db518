// The price table for people and for programs. Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "llmbatch/policy/pricing.h"

namespace llmbatch {

/// True when `provider/id` contains `filter`, whatever its case.
bool matches_filter(const ModelPrice& model, std::string_view filter);

/// A table, one model per line, under a line with its date; empty when no model matches.
std::string format_prices(const PriceTable& table, std::string_view filter);

/// `{"as_of","source","unit","overrides":[...],"models":[...]}` on one line. Unknown is null.
std::string prices_json(const PriceTable& table, std::string_view filter);

}  // namespace llmbatch
