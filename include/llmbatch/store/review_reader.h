// ReviewReader: what review and report read: the answers of the current input with the verdicts
// about them. Never blocks the run that writes. Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "llmbatch/base/result.h"
#include "llmbatch/model/verdict.h"
#include "llmbatch/store/store_reader.h"

namespace llmbatch {

/// The states that can be reviewed: items with an answer or a refusal of their own. Invalid lines
/// have none.
inline constexpr ItemState kReviewedStates[] = {ItemState::succeeded, ItemState::filtered,
                                                ItemState::flagged, ItemState::failed};

/// An item of the current input in one of the reviewed states, without its texts.
struct ReviewCandidate {
  std::uint64_t seq = 0;
  std::uint64_t line = 0;  ///< of the last scan; 0: not scanned
  ItemState state = ItemState::pending;
  Hash128 id_hash;
  Hash128 request_hash;
  std::int64_t attempt_id = 0;
  /// The latest verdict about the answer that the item has now.
  std::optional<Verdict> verdict;
  bool sampled = false;  ///< that verdict was given in a random sample
};

/// How one state was judged.
struct ReviewTally {
  ItemState state = ItemState::pending;
  std::int64_t items = 0;
  std::int64_t good = 0;  ///< good or accepted, in a random sample
  std::int64_t bad = 0;   ///< in a random sample
};

struct VerdictNote {
  std::string id;
  ItemState state = ItemState::pending;
  Verdict verdict = Verdict::skip;
  std::string note;
  std::string reviewer;
  WallTime time{};
};

class ReviewReader {
 public:
  /// Fails like StoreReader::open().
  static Result<std::unique_ptr<ReviewReader>> open(const std::string& path);
  ~ReviewReader();

  /// Calls `visit` for the items of the current input in `states`, in line order.
  Status for_each(std::span<const ItemState> states,
                  const std::function<void(const ReviewCandidate&)>& visit);
  /// One item as it is now, `line` being its line; absent when it has no final state.
  Result<std::optional<ResultRow>> item(std::uint64_t seq, std::uint64_t line);
  /// The latest verdict about this answer.
  Result<std::optional<VerdictRecord>> verdict_on(const ResultRow& row);

  /// One entry per reviewed state, in the order of kReviewedStates: verdicts about the answers that
  /// the items have now. Feeds stratified_share().
  Result<std::vector<ReviewTally>> tally();
  /// The latest verdicts that carry a note, newest first, about present answers only.
  Result<std::vector<VerdictNote>> notes(std::size_t limit);
  /// Decisions (accept, requeue) that wait for the lock of the database.
  Result<std::int64_t> waiting_decisions();

 private:
  struct State;
  explicit ReviewReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace llmbatch
