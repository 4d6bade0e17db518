// What a reviewer says about an answer, and what became of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "llmbatch/base/clock.h"
#include "llmbatch/base/hash.h"
#include "llmbatch/model/item.h"

namespace llmbatch {

/// Numbers are stored in the database: never renumber. Names stand in review sheets.
enum class Verdict : std::uint8_t {
  good = 1,
  bad = 2,
  skip = 3,     ///< left for later: counts as not judged
  accept = 4,   ///< a problem whose answer is to count as a success
  requeue = 5,  ///< a problem that the next run takes up again
};

std::string_view to_string(Verdict verdict);
std::optional<Verdict> parse_verdict(std::string_view name);
/// True for those that change an item's state: accept and requeue.
bool is_decision(Verdict verdict);

/// One verdict about one answer.
struct VerdictRecord {
  std::uint64_t seq = 0;
  /// The answer it is about: a later attempt, or other content of the item, is another answer.
  Hash128 request_hash;
  std::int64_t attempt_id = 0;           ///< 0: answered without a call
  ItemState state = ItemState::pending;  ///< of the item when it was judged
  Verdict verdict = Verdict::skip;
  bool sampled = false;  ///< drawn at random: counts for the estimate of quality
  WallTime time{};
  std::string reviewer;
  std::string note;
};

}  // namespace llmbatch
