// VerdictStore: writes what reviewers say, beside a run that works on the same database. It takes
// no lock of the database: each call is one short SQLite transaction, for whose turn it waits up to
// ten seconds (ErrorKind::in_use after that; nothing was written). Thread rule: one thread.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "llmbatch/base/result.h"
#include "llmbatch/model/verdict.h"

namespace llmbatch {

class VerdictStore {
 public:
  /// Never creates or migrates a database. ErrorKind::usage when it cannot be written.
  static Result<std::unique_ptr<VerdictStore>> open(const std::string& path);
  ~VerdictStore();

  /// Durable when it returns; the number of the verdict, for remove().
  Result<std::int64_t> add(const VerdictRecord& record);
  /// All of them or none.
  Status add_all(std::span<const VerdictRecord> records);
  /// Verdicts about these items' answers count for the estimate of quality from now on.
  Status count_as_sampled(std::span<const std::uint64_t> seqs);
  /// False when it was a decision that took effect in the meantime, which stays.
  Result<bool> remove(std::int64_t number);

 private:
  struct State;
  explicit VerdictStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace llmbatch
