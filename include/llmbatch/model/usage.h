// Token usage, normalised over all providers (README, Output): `input` is everything that
// was read, cached included; `output` everything that was generated, reasoning included.
#pragma once

#include <cstdint>
#include <optional>

#include "llmbatch/model/money.h"

namespace llmbatch {

using TokenCount = std::int64_t;

struct Usage {
  TokenCount input = 0;
  TokenCount cached_input = 0;  ///< part of input
  TokenCount cache_write = 0;   ///< part of input
  TokenCount cache_write_one_hour =
      0;  ///< part of cache_write that is kept for an hour (Anthropic)
  TokenCount output = 0;
  TokenCount reasoning = 0;            ///< part of output
  bool estimated = false;              ///< the provider reported no usage
  std::optional<Money> reported_cost;  ///< the provider's own figure (OpenRouter usage.cost)

  TokenCount total() const { return input + output; }
  friend bool operator==(const Usage&, const Usage&) = default;
};

}  // namespace llmbatch
