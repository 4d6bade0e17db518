// HistoryReader: streams the rows of a job's past for the report. One consistent view: between
// construction and destruction everything that is read through it and through its StoreReader is
// of one moment, while a run may go on writing. Thread rule: that of StoreReader.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "llmbatch/base/result.h"
#include "llmbatch/model/job_history.h"

namespace llmbatch {

class Connection;

class HistoryReader {
 public:
  static Result<HistoryReader> begin(Connection& connection);
  HistoryReader(HistoryReader&& other) noexcept;
  HistoryReader& operator=(HistoryReader&&) = delete;
  HistoryReader(const HistoryReader&) = delete;
  HistoryReader& operator=(const HistoryReader&) = delete;
  ~HistoryReader();

  Result<std::int64_t> run_count();
  /// The last runs, oldest first.
  Result<std::vector<RunRecord>> last_runs(std::size_t limit);
  /// The highest limit of requests per minute that any run was given; 0: none had one.
  Result<std::int64_t> highest_request_limit();

  /// False where nobody has reviewed anything.
  Result<bool> has_verdicts();

  /// In the order of their commits. Reads neither responses nor, of successes, messages.
  Status for_each_attempt(const std::function<void(const AttemptFacts&)>& visit);
  /// In the order of first sight.
  Status for_each_item(const std::function<void(const ItemFacts&)>& visit);

  /// At most `per_kind` items of each problem state and class of error, and lines that cannot be
  /// used; at most `total` in all.
  Result<std::vector<ProblemSample>> problem_samples(std::size_t per_kind, std::size_t total);

 private:
  explicit HistoryReader(Connection& connection) : connection_(&connection) {}
  Status add_samples(ItemState state, std::int64_t error, std::size_t limit,
                     std::vector<ProblemSample>& samples);
  Status add_invalid_lines(std::size_t limit, std::vector<ProblemSample>& samples);

  Connection* connection_;
};

}  // namespace llmbatch
