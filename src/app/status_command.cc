#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "llmbatch/app/commands.h"
#include "llmbatch/app/database_path.h"
#include "llmbatch/app/job_status.h"
#include "llmbatch/base/clock.h"
#include "llmbatch/report/status_report.h"
#include "llmbatch/store/store_reader.h"

namespace llmbatch {
namespace {

/// A living run refreshes its row every second; a disk may stall it for a while.
constexpr Duration kFreshFor = std::chrono::seconds(20);

/// A run that was killed leaves its status row saying that it runs, and its pid may be another's
/// now.
bool is_running(const RunStatus& status, WallTime now) {
  const bool lives =
      status.pid > 0 && (::kill(static_cast<pid_t>(status.pid), 0) == 0 || errno == EPERM);
  return status.running && lives && status.updated_at && now - *status.updated_at < kFreshFor;
}

}  // namespace

Result<RunStatus> read_status(StoreReader& reader, const std::string& database, WallTime now) {
  const Result<std::optional<RunStatus>> stored = reader.status();
  if (!stored) return forward_error(stored);
  RunStatus status;
  if (*stored) status = **stored;
  status.database = database;
  if (is_running(status, now)) return status;
  status.running = false;
  status.waiting_for.clear();
  status.eta_seconds.reset();
  status.requests_per_minute.reset();
  status.tokens_per_minute.reset();
  // Nobody refreshes the row any more: what counts is what is stored.
  const Result<StateCounts> counts = reader.count_states();
  if (!counts) return forward_error(counts);
  status.items = *counts;
  const Result<std::vector<BatchRecord>> batches = reader.batches();
  if (!batches) return forward_error(batches);
  status.batches.clear();
  for (const BatchRecord& batch : *batches) {
    if (is_open(batch.stage)) status.batches.push_back(describe_batch(batch));
  }
  const Result<JobTotals> totals = reader.totals();
  if (!totals) return forward_error(totals);
  status.attempts = totals->attempts;
  status.retries = totals->retries;
  status.cached = totals->cached;
  status.reuse = totals->saved;
  if (status.cached > 0) status.saved = status.reuse.known_cost();
  status.usage = totals->usage;
  const bool known = status.spent.has_value() || totals->cost > Money();
  status.known_cost = totals->cost;
  status.unpriced = totals->unpriced;
  status.spent.reset();
  if (known && totals->unpriced == 0) status.spent = totals->cost;
  if (!status.spent) status.projected.reset();
  return status;
}

int status_command(const ParsedCommand& parsed, const Environment& environment) {
  const Result<std::string> database = database_of(parsed, environment);
  if (!database) return report_error(database.error());
  const auto reader = StoreReader::open(*database);
  if (!reader) return report_error(reader.error());
  const SystemClock clock;
  const bool json = parsed.settings.flag("json");
  const bool watch = parsed.settings.flag("watch");
  const bool clear = watch && !json && ::isatty(STDOUT_FILENO) == 1;
  for (;;) {
    const Result<RunStatus> status = read_status(**reader, *database, clock.wall_now());
    if (!status) return report_error(status.error());
    if (clear) fmt::print("\x1b[H\x1b[J");
    fmt::print("{}", json ? to_json(*status) + "\n" : format_status(*status, clock.wall_now()));
    if (std::fflush(stdout) != 0) return 0;  // the reader of the pipe has gone
    if (!watch || !status->running) return static_cast<int>(ExitCode::ok);
    ::poll(nullptr, 0, 1000);
  }
}

}  // namespace llmbatch
