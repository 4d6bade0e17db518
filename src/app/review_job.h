// ReviewJob: what is to be judged, and what the verdicts say. Shared by the terminal, the sheets
// and the summary of `llmbatch review`. Thread rule: one thread.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "llmbatch/app/settings.h"
#include "llmbatch/policy/review_sample.h"
#include "llmbatch/store/review_reader.h"
#include "llmbatch/store/store_reader.h"
#include "llmbatch/store/verdict_store.h"
#include "review_input.h"

namespace llmbatch {

struct ReviewOptions {
  std::string database;
  std::vector<ItemState> states;  ///< those that are walked through
  bool whole_states = false;      ///< every item of them, not a sample
  SampleSize size;
  std::string size_text;
  std::uint64_t seed = 1;
  std::string reviewer;
  std::optional<std::string> input;
};

Result<ReviewOptions> make_review_options(const Settings& settings, std::string database,
                                          const Environment& environment);

class ReviewJob {
 public:
  /// Draws the sample and reads the verdicts so far.
  static Result<std::unique_ptr<ReviewJob>> open(ReviewOptions options);

  const ReviewOptions& options() const { return options_; }
  /// The selected items in the order in which to walk through them.
  const std::vector<SampledItem>& selected() const { return selected_; }
  /// Those without a verdict first, then those that were skipped.
  std::vector<SampledItem> open_items() const;
  std::size_t judged_count() const;
  std::size_t count(Verdict verdict) const;
  std::optional<Verdict> verdict_of(std::uint64_t seq) const;

  /// The item as it is now; absent when it has no result any more.
  Result<std::optional<ResultRow>> row(const SampledItem& item);
  Result<ReviewInput::Found> line_of(const ResultRow& row) { return input_->line_of(row); }
  /// What the provider sent, where it has no answer in it.
  Result<std::optional<std::string>> raw_response(const ResultRow& row);
  ReviewReader& reader() { return *reader_; }
  /// Whether a sheet may replace the file `target`.
  Status check_target(std::string_view option, const std::string& target);

  VerdictRecord record(const ResultRow& row, Verdict verdict, std::string note, WallTime now) const;
  /// Stores a verdict at once. Opens the database for writing the first time.
  Result<std::int64_t> store(const VerdictRecord& record);
  Status store_all(const std::vector<VerdictRecord>& records);
  /// Takes a verdict of this session back; false when it took effect already.
  Result<bool> take_back(std::uint64_t seq, std::int64_t number);

  /// The table of verdicts and the estimated quality.
  std::string summary() const;
  /// The latest notes, one per line; empty: there are none.
  Result<std::string> notes();

 private:
  struct Judged {
    ItemState state = ItemState::pending;
    std::optional<Verdict> verdict;
    bool sampled = false;
  };

  explicit ReviewJob(ReviewOptions options) : options_(std::move(options)) {}
  Status select();
  Status open_for_writing();
  void remember(const VerdictRecord& record);

  ReviewOptions options_;
  std::unique_ptr<StoreReader> store_reader_;
  std::unique_ptr<ReviewReader> reader_;
  std::unique_ptr<ReviewInput> input_;
  std::unique_ptr<VerdictStore> verdicts_;
  std::vector<SampledItem> selected_;
  std::vector<std::uint64_t> sample_;       ///< seqs of the random sample, sorted
  std::vector<std::uint64_t> newly_drawn_;  ///< judged in a walk, and of the sample now
  std::unordered_map<std::uint64_t, Judged> judged_;
  std::vector<std::int64_t> populations_;  ///< by kReviewedStates
};

}  // namespace llmbatch
