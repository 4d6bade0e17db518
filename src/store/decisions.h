// Carries out what reviewers decided: accepted problems become succeeded with the answer they have,
// requeued ones pending. Works within its caller's transaction, whose process holds the write lock.
#pragma once

#include "connection.h"
#include "item_log.h"
#include "llmbatch/store/store.h"

namespace llmbatch {

/// Rows, item log, line map and progress agree afterwards: a run of an unchanged input finds the
/// requeued items without a scan. A decision about an answer that is no longer there lapses.
Result<AppliedDecisions> apply_decisions(Connection& connection, ItemLogWriter& log);

}  // namespace llmbatch
