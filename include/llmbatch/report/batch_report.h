// The provider batches of a job for people and for programs. Names of JSON members are a promise
// (README, Provider batches). Pure functions; the text of others is sanitised here.
#pragma once

#include <span>
#include <string>

#include "llmbatch/model/batch_record.h"

namespace llmbatch {

/// A table, one line per batch; empty when there are none.
std::string format_batches(std::span<const BatchRecord> batches);
/// `{"database", "batches": [...]}` on one line.
std::string batches_json(const std::string& database, std::span<const BatchRecord> batches);

/// Everything of one batch, one `key value` per line; what is not known is left out.
std::string format_batch(const BatchRecord& batch);
/// One object on one line; unknown values are null.
std::string batch_json(const BatchRecord& batch);

}  // namespace llmbatch
