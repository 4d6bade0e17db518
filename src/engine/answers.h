// What becomes of an answer, however it came: shared by the Runner and the BatchRunner.
// Thread rule: plain functions.
#pragma once

#include <cstdint>
#include <memory>

#include "llmbatch/model/http.h"
#include "llmbatch/model/item.h"
#include "llmbatch/model/item_result.h"
#include "llmbatch/port/answer_check.h"
#include "llmbatch/port/batch_journal.h"
#include "llmbatch/port/provider.h"
#include "llmbatch/port/result_store.h"

namespace llmbatch {

/// An update with the item's identity, and nothing that happened to it.
ItemUpdate identify(const Item& item);
ItemUpdate identify(const StoredItem& item);

/// Judges an answer by `check` (null: every one is good); what fails becomes check_failed.
void check_answer(const AnswerCheck* check, const Provider& provider, Outcome& outcome);

/// True when there is an answer to be paid for, whether or not its usage was reported.
bool was_answered(const Outcome& outcome);

/// The record of a call; takes the body of `reply`.
AttemptRecord describe_attempt(std::uint32_t number, const Outcome& outcome, HttpReply& reply);

/// Fills what the outcome says of the item, except its state.
void describe_outcome(const Outcome& outcome, ItemUpdate& update);

void add_usage(const Usage& usage, Usage& sum);

/// The answer that `update` brings, for other items with the same request.
std::shared_ptr<const ReusedAnswer> describe_answer(const ItemUpdate& update);

/// For the monitor.
ItemResult describe_result(const ItemUpdate& update);

/// What another job was answered, when it is an answer by this job's rules too; else null.
std::shared_ptr<const ReusedAnswer> judge_shared_answer(
    const std::shared_ptr<const ReusedAnswer>& known, const AnswerCheck* check,
    const Provider& provider);

}  // namespace llmbatch
