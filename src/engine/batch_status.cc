// What a batch run stores and tells about itself.
#include <fmt/format.h>

#include <algorithm>

#include "batch_filling.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

constexpr Duration kReportInterval = std::chrono::seconds(1);

}  // namespace

RunProgress BatchRunner::describe_progress() {
  RunProgress progress;
  // Lines are taken up in passes: nothing is known to be final before the last of them.
  const bool all_done = items_.finished() == items_.total();
  progress.done_below_line = all_done ? last_line_ : 1;
  progress.items = items_;
  progress.cost_ceiling = spending_.budget().at_most();
  progress.limiter_state = settings_.limiter_state;
  return progress;
}

void BatchRunner::refresh_status() {
  status_.items = items_;
  status_.batches.clear();
  std::int64_t requests = 0;
  std::int64_t done = 0;
  // What waits for a batch of its own, or of which nothing is told, has no date.
  bool foreseeable = items_[ItemState::pending] == 0;
  std::optional<WallTime> first_submitted;
  for (const Open& batch : open_) {
    status_.batches.push_back(describe_batch(batch.record));
    requests += batch.record.requests;
    done += status_.batches.back().done.value_or(0);
    foreseeable = foreseeable && status_.batches.back().done.has_value();
    const auto& submitted = batch.record.submitted_at;
    if (submitted && (!first_submitted || *submitted < *first_submitted)) {
      first_submitted = submitted;
    }
  }
  if (status_.cached > 0) status_.saved = status_.reuse.known_cost();
  status_.error_rate = stats_.error_rate();
  status_.errors = stats_.commonest_errors(5);
  status_.elapsed = parts_.clock.now() - started_;
  status_.updated_at = parts_.clock.wall_now();
  spending_.refresh(status_, items_[ItemState::pending] + items_[ItemState::submitted]);
  status_.eta_seconds.reset();
  if (foreseeable && first_submitted && done > 0 && done < requests) {
    const double took = to_seconds(parts_.clock.wall_now() - *first_submitted);
    status_.eta_seconds = took * static_cast<double>(requests - done) / static_cast<double>(done);
  }
}

void BatchRunner::report(bool force) {
  const SteadyTime now = parts_.clock.now();
  if (now < next_report_ && !force) return;
  next_report_ = now + kReportInterval;
  refresh_status();
  parts_.monitor.progress(status_);
  RunProgress progress = describe_progress();
  progress.status = status_;
  BatchCommit commit;
  commit.progress = &progress;
  if (const Status written = parts_.journal.write(commit); !written) fail(written.error());
}

}  // namespace llmbatch
