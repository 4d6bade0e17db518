// How figures of a run are written for people: one wording for the live display, log lines,
// `status` and the summary. All functions are pure. Text of others (names, messages) is sanitised
// here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "llmbatch/model/run_status.h"

namespace llmbatch {

/// `47.7 %`; 100.0 % is said only of the whole.
std::string format_percent(std::int64_t part, std::int64_t whole);

/// `0.4 %` of a share between 0 and 1.
std::string format_share(double share);

/// `812`, `21.4k`, `3.02M`.
std::string format_compact(double number);

/// `481 req/min` and `212k tokens/min`; per second from 600 requests a minute on. What is not known
/// is left out.
std::vector<std::string> format_rates(const RunStatus& status);

/// `45s`, `3m05s`, `54m`, `2h14m`, `3d04h`: as exact as a forecast can be.
std::string format_span(double seconds);

/// Problem states (filtered, flagged, failed, invalid) in the order in which they are shown.
const std::vector<ItemState>& problem_states();

/// What the job costs: `$3.42 so far`, `about $225.00 in all`, `$0.0045 per item`, `$1.00 saved`;
/// `unknown` alone where it is, empty before the first attempt.
std::vector<std::string> format_costs(const RunStatus& status);

/// The local time of day; with the weekday from 20 hours away on, with the date from six days on.
std::string format_clock_time(WallTime time, WallTime now);

/// `in batches 4,210/10,000`, without the first figure where no provider tells it; empty: no
/// provider batch is open.
std::string format_batch_progress(const RunStatus& status);

/// One line per open batch, in columns: `3  msgbatch_x  in_progress  4,210/10,000  expires 21:10`.
std::vector<std::string> format_batches(const RunStatus& status, WallTime now);

/// `23,847/50,000 done (47.7 %), 3 filtered, 12 failed, 481 req/min, ETA 54m, waiting for: ...`.
std::string format_status_line(const RunStatus& status);

}  // namespace llmbatch
