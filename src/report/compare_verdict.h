// The last sentence of a comparison, and the notes on how far it can be trusted.
// Thread rule: pure function.
#pragma once

#include <cstdint>

#include "llmbatch/report/compare_result.h"

namespace llmbatch {

/// Fills `chosen`, the savings, `notes` and `verdict` of a result whose models are ranked.
/// `near_misses`: wrong answers that --expect-mode casefold would take.
void choose_model(std::int64_t near_misses, CompareResult& result);

}  // namespace llmbatch
