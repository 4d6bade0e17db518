// What an answered item used: a sample for estimates. Plain data.
#pragma once

#include <cstdint>

#include "llmbatch/model/usage.h"

namespace llmbatch {

/// Sums over the attempts of the run that finished it, failed ones included.
struct AnsweredItem {
  std::uint64_t seq = 0;
  TokenCount input = 0;
  TokenCount output = 0;
  std::int64_t attempts = 0;
  std::int64_t latency_us = 0;  ///< of the longest call; 0: it came with a provider batch
};

}  // namespace llmbatch
