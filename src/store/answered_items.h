// Reads what the latest answered items used. Thread rule: that of the connection.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "connection.h"
#include "llmbatch/store/answered_item.h"

namespace llmbatch {

/// See StoreReader::answered_items.
Result<std::vector<AnsweredItem>> read_answered_items(Connection& connection,
                                                      std::optional<std::int64_t> run,
                                                      std::int64_t limit);

}  // namespace llmbatch
