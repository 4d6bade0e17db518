// BatchJournal: what a job keeps of its provider batches, durable step by step, so that whatever
// happens in between, the next run knows what may have been sent. Thread rule: one thread, which
// then owns the writing side of the store.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "llmbatch/base/result.h"
#include "llmbatch/model/batch_record.h"
#include "llmbatch/port/result_store.h"

namespace llmbatch {

/// What the row of an item says, as far as its answer needs it.
struct StoredItem {
  std::uint64_t seq = 0;
  std::string id;
  Hash128 id_hash;
  Hash128 request_hash;
  InputPlace place;
  std::uint32_t attempts = 0;
};

/// The answer that an item has to be asked again about.
struct FaultyAnswer {
  std::string response;
  int http_status = 0;
  std::string violation;
};

/// One transaction: everything in it, or nothing.
struct BatchCommit {
  const BatchRecord* record = nullptr;      ///< written over the row of its number
  std::span<const ItemUpdate> items;        ///< a final state ends the item's submission
  std::span<const Submission> submissions;  ///< written over those of their items
  const RunProgress* progress = nullptr;
};

class BatchJournal {
 public:
  virtual ~BatchJournal() = default;

  /// All batches of the job, by number.
  virtual Result<std::vector<BatchRecord>> batches() = 0;
  /// Stores a new batch and sets its number.
  virtual Status add(BatchRecord& record) = 0;
  /// Durable when it returns.
  virtual Status write(const BatchCommit& commit) = 0;

  virtual Result<std::optional<Submission>> submission(std::uint64_t seq) = 0;
  /// The submissions of a batch with seqs above `after`, at most `limit`, by seq.
  virtual Result<std::vector<Submission>> submissions_of(const BatchRecord& batch,
                                                         std::uint64_t after,
                                                         std::size_t limit) = 0;
  virtual Result<std::optional<std::uint64_t>> seq_at(const BatchRecord& batch,
                                                      std::int64_t position) = 0;
  virtual Result<StoredItem> item(std::uint64_t seq) = 0;
  /// The last answer of an item; absent when it has none.
  virtual Result<std::optional<FaultyAnswer>> last_answer(std::uint64_t seq) = 0;
};

}  // namespace llmbatch
