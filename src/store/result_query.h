// ResultQuery: the walk of export over items and invalid lines. Thread rule: that of its
// connection; the caller holds a read transaction around run().
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "connection.h"
#include "llmbatch/store/store_reader.h"
#include "stored_plan.h"

namespace llmbatch {

class ResultQuery {
 public:
  using Visit = std::function<Result<bool>(const ResultRow&)>;

  ResultQuery(Connection& connection, const ResultFilter& filter, const Visit& visit);
  Status run(bool has_line_map);
  /// Only the item `seq`, which stands on `line` of the current input (0: unknown).
  Status run_one(std::uint64_t seq, std::uint64_t line);

 private:
  /// These three: false when `visit` wants no more.
  Result<bool> visit_items(const LineRun& range, bool in_input);
  Result<bool> visit_invalid_lines(std::uint64_t first_line, std::uint64_t last_line);
  Result<bool> visit_removed();
  Status prepare();
  Result<bool> visit_line_map();
  void remember(const LineRun& range);
  void read_item(const LineRun& range, bool in_input);

  Connection* connection_;
  const ResultFilter* filter_;
  const Visit* visit_;
  std::int64_t state_mask_ = 0;
  Statement items_;
  Statement invalid_lines_;
  std::uint64_t max_seq_ = 0;
  std::vector<bool> seen_;  ///< by seq: part of the input; one bit per item
  ResultRow row_;
};

}  // namespace llmbatch
