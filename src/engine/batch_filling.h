// BatchRunner::Filling: a batch that is being filled: its request file, and the piece of its items
// that is not stored yet. Thread rule: the loop thread.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "llmbatch/base/fd.h"
#include "llmbatch/engine/batch_runner.h"

namespace llmbatch {

struct BatchRunner::Filling {
  BatchRecord record;
  UniqueFd file;
  std::string buffer;  ///< lines that are not in the file yet
  std::int64_t embedding_inputs = 0;
  std::vector<ItemUpdate> updates;
  std::vector<Submission> submissions;
  std::unordered_set<std::uint64_t> unstored;  ///< seqs of these
};

/// How often results are looked for that must be there, before a run stops for them.
inline constexpr int kLooksForResults = 5;
/// Between two looks for something that is about to appear.
inline constexpr Duration kLongestBetweenLooks = std::chrono::seconds(15);
/// Between two tries of a step, and between two looks for room in a full queue.
inline constexpr Duration kLongestBatchBackoff = std::chrono::minutes(10);

/// The inputs of an embeddings body; 1 for any other body.
std::int64_t embedding_inputs(std::string_view body);

}  // namespace llmbatch
