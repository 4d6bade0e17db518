#include "llmbatch/input/chosen_lines.h"

#include <algorithm>
#include <set>

#include "llmbatch/base/random.h"

namespace llmbatch {

std::vector<std::uint64_t> draw_ordinals(std::uint64_t total, std::uint64_t count,
                                         std::uint64_t seed) {
  Random random(seed);
  std::set<std::uint64_t> drawn;
  count = std::min(count, total);
  for (std::uint64_t last = total - count; last < total; ++last) {
    const std::uint64_t candidate = random.below(last + 1);
    if (!drawn.insert(candidate).second) drawn.insert(last);
  }
  return {drawn.begin(), drawn.end()};
}

Result<bool> ChosenLines::next(LineRun& run) {
  while (index_ < ordinals_.size()) {
    const bool todo = run_.kind == LineKind::todo || run_.kind == LineKind::todo_again;
    const std::uint64_t skip = ordinals_[index_] - passed_;
    if (todo && skip < run_.count) {
      run = run_;
      run.first_line += skip;
      run.first_seq += skip;
      run.count = 1;
      ++index_;
      return true;
    }
    if (todo) passed_ += run_.count;
    run_ = {};
    const Result<bool> more = plan_->next(run_);
    if (!more || !*more) return more;
  }
  return false;
}

Status ChosenLines::rewind() {
  index_ = 0;
  passed_ = 0;
  run_ = {};
  return plan_->rewind();
}

}  // namespace llmbatch
