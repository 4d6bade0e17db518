// What every model answered to every item of a comparison, for `compare --answers`: one line per
// item and model, as JSONL or CSV. Field names are a promise (README, Which model?).
// Thread rule: plain functions.
#pragma once

#include <vector>

#include "llmbatch/base/result.h"
#include "llmbatch/report/compare_summary.h"
#include "llmbatch/report/output_file.h"

namespace llmbatch {

/// Writes `id`, `line`, `expected`, `model`, `state`, `answer` (the compared part), `right`,
/// `cost_usd` and `latency_ms`, in the order of the sample and then of the models; finishes the
/// file. In CSV a cell that a spreadsheet would take for a formula is guarded with a quote.
Status write_compare_answers(OutputFile output, bool csv, const AnswerScorer& scorer,
                             const std::vector<CompareItem>& items,
                             const std::vector<ModelAnswers>& models);

}  // namespace llmbatch
