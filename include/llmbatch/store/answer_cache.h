// AnswerCache: a file of answers that several jobs and processes share (`--cache FILE`), keyed by
// endpoint and request. SQLite in WAL mode, mode 0600; src/store/answer_cache.cc documents it.
// It is a convenience: what goes wrong with it after opening never fails a run.
// Thread rule: find() and warning() by one thread, add() by one thread, which may be another one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "llmbatch/base/hash.h"
#include "llmbatch/base/result.h"
#include "llmbatch/port/result_store.h"

namespace llmbatch {

class AnswerCache {
 public:
  /// Opens or creates the file. `endpoint`: whose answers are looked for and added; absent: those
  /// of the profile that is part of the request hash. Fails with ErrorKind::usage when it is
  /// damaged, another program's or not writable, with ::mismatch when a newer llmbatch wrote it.
  static Result<std::unique_ptr<AnswerCache>> open(const std::string& path,
                                                   const std::optional<Hash128>& endpoint);
  ~AnswerCache();

  /// The answer to this request: ReusedAnswer::foreign is set, its output is not (it is what the
  /// provider makes of the response). Null: there is none.
  std::shared_ptr<const ReusedAnswer> find(const Hash128& request_hash);

  /// Adds the accepted answers among `updates` that calls brought.
  void add(std::span<const ItemUpdate> updates);

  /// What went wrong since the last call, to be told to the user; empty: nothing.
  std::string warning();

 private:
  struct State;
  explicit AnswerCache(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A ResultStore that adds to a cache what the store behind it has committed.
class CacheFillingStore final : public ResultStore {
 public:
  CacheFillingStore(ResultStore& store, AnswerCache& cache) : store_(store), cache_(cache) {}
  Status commit(std::span<const ItemUpdate> updates, const RunProgress& progress) override {
    Status committed = store_.commit(updates, progress);
    if (committed) cache_.add(updates);
    return committed;
  }

 private:
  ResultStore& store_;
  AnswerCache& cache_;
};

}  // namespace llmbatch
