// PromptCache: what the simulator knows of prompts that were marked with cache_control, by
// Anthropic's rules: an entry exists once the answer that wrote it has begun, short prefixes are
// left alone, entries live for five minutes from their last use. Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "llmbatch/base/clock.h"

namespace llmbatch::sim {

class PromptCache {
 public:
  struct Use {
    std::int64_t read = 0;  ///< tokens
    std::int64_t written = 0;
  };
  /// `body` is answered `delay` after `now`.
  Use use(const std::string& body, SteadyTime now, Duration delay);

 private:
  struct Entry {
    SteadyTime ready;
    SteadyTime used;
  };
  std::unordered_map<std::uint64_t, Entry> entries_;
};

}  // namespace llmbatch::sim
